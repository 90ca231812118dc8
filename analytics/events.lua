-- Appends events to the stream of their organisation, which keeps the latest.
-- KEYS[1]   the stream
-- ARGV      most events kept, milliseconds that a silent stream lives, type, numbers of its projects between
--           commas or '', then each event's data as JSON
-- Returns how many were appended.
for place = 5, #ARGV do
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'type', ARGV[3], 'project', ARGV[4], 'data', ARGV[place])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return #ARGV - 4
