-- Charges all buckets or none, by this server's clock.
-- KEYS[i]           bucket i; all in one hash slot
-- ARGV[4i-3 .. 4i]  its capacity in units, units refilled per microsecond, units asked, milliseconds to live
-- Returns {1 or 0 for admitted, microseconds since the epoch, units left of bucket 1, of bucket 2, ...}.
-- Units are whole numbers below 2^53, which Lua's doubles hold exactly.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local units = {}
local admitted = 1

for i, key in ipairs(KEYS) do
    local capacity = tonumber(ARGV[4 * i - 3])
    local stored = redis.call('GET', key)
    units[i] = capacity
    if stored then
        local left, since = string.match(stored, '^(%d+) (%d+)$')
        -- A clock that was set back refills nothing.
        local elapsed = math.max(0, now - since)
        units[i] = math.min(capacity, left + elapsed * ARGV[4 * i - 2])
    end
    if units[i] < tonumber(ARGV[4 * i - 1]) then
        admitted = 0
    end
end

if admitted == 1 then
    for i, key in ipairs(KEYS) do
        units[i] = units[i] - ARGV[4 * i - 1]
        redis.call('SET', key, string.format('%.0f %.0f', units[i], now), 'PX', ARGV[4 * i])
    end
end

return {admitted, now, unpack(units)}
