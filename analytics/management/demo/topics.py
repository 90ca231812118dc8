# ruff: noqa: RUF001 - Chinese punctuation is meant
"""What is talked about in the demo traces, as data: short exchanges by topic and language, with `$slots`."""

from dataclasses import dataclass

from analytics.management.demo.shapes import RESEARCH, SUPPORT

Exchange = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A subject of conversation in one language: exchanges in the order in which a session has them."""

    project: str
    name: str
    language: str
    weight: float
    subject: str
    passage: str
    exchanges: tuple[Exchange, ...]


TOPICS = (
    Topic(
        project=SUPPORT,
        name="delivery",
        language="en",
        weight=22,
        subject="delivery times",
        passage="Parcels inside the EU take two to four working days. Tracking starts when the parcel leaves us.",
        exchanges=(
            ("where is my order $order?", "Your order $order has left our warehouse and should arrive on $weekday."),
            ("can it go to a shop in $city instead?", "Yes. I have redirected it to the pick-up shop in $city."),
            (
                "do I need to show a passport there?",
                "Any official photo id is enough, together with the code from the e-mail.",
            ),
        ),
    ),
    Topic(
        project=SUPPORT,
        name="returns",
        language="en",
        weight=16,
        subject="returns and refunds",
        passage="Goods can be returned within 30 days. The refund is paid within five working days after arrival.",
        exchanges=(
            ("I want to send back the $product from order $order.", "Of course. The return label is in your inbox."),
            ("how long until I get my $amount EUR?", "Five working days after the parcel arrives with us."),
            (
                "the box is damaged, is that a problem?",
                "No. Any sturdy box will do as long as the $product is complete.",
            ),
        ),
    ),
    Topic(
        project=SUPPORT,
        name="setup",
        language="en",
        weight=14,
        subject="setting up devices",
        passage="Hold the reset button for ten seconds until the light blinks blue, then start pairing in the app.",
        exchanges=(
            (
                "my $product does not connect to the wifi",
                "Hold reset for ten seconds until the light blinks blue, then pair it again in the app.",
            ),
            ("it blinks red now", "Red means that the 2.4 GHz network is off. Switch it on and try once more."),
            ("works, thank you!", "Glad to hear it. Enjoy your $product!"),
        ),
    ),
    Topic(
        project=SUPPORT,
        name="invoice",
        language="en",
        weight=10,
        subject="invoices",
        passage="Invoices can be downloaded for ten years under Account, Orders. The VAT id can be added later once.",
        exchanges=(
            (
                "the invoice over $amount EUR lacks our VAT id",
                "I have added the VAT id; the corrected invoice for $order is under Account, Orders.",
            ),
            ("please send all invoices of $year", "You find the invoices of $year as one archive in your inbox."),
        ),
    ),
    Topic(
        project=SUPPORT,
        name="webhooks",
        language="en",
        weight=8,
        subject="webhooks of the shop API",
        passage="Each webhook carries X-Shop-Signature: the hex HMAC-SHA256 of the raw body under your secret.",
        exchanges=(
            (
                "our handler gets 401 on order.shipped, signature check: `hmac.new(SECRET, json.dumps(body))`",
                (
                    "Sign the raw bytes, not re-encoded JSON:\n```python\n"
                    "expected = hmac.new(SECRET, request.body, hashlib.sha256).hexdigest()\n"
                    'hmac.compare_digest(expected, request.headers["X-Shop-Signature"])\n```'
                ),
            ),
            (
                "and how do I replay order $order?",
                "```bash\ncurl -X POST https://api.shop.example/v2/webhooks/replay -d 'order_id=$order'\n```",
            ),
        ),
    ),
    Topic(
        project=SUPPORT,
        name="Lieferung",
        language="de",
        weight=12,
        subject="Lieferzeiten",
        passage="Pakete innerhalb Deutschlands sind ein bis zwei Werktage unterwegs.",
        exchanges=(
            (
                "wo bleibt meine Bestellung $order?",
                "Ihre Bestellung $order ist unterwegs und kommt voraussichtlich morgen.",
            ),
            ("Kann ich die Adresse noch auf $city ändern?", "Ja, ich habe die Lieferadresse auf $city geändert."),
            ("Vielen Dank für die schnelle Hilfe!", "Sehr gerne. Ich wünsche Ihnen noch einen schönen Tag."),
        ),
    ),
    Topic(
        project=SUPPORT,
        name="返品",
        language="ja",
        weight=7,
        subject="返品と返金",
        passage="商品は到着後三十日以内であれば返品できます。返金には五営業日かかります。",
        exchanges=(
            ("注文$orderの$productを返品したいです。", "承知しました。返品ラベルをメールでお送りしました。"),
            ("返金はいつになりますか。", "商品が届いてから五営業日以内に返金いたします。"),
        ),
    ),
    Topic(
        project=SUPPORT,
        name="安装",
        language="zh",
        weight=7,
        subject="设备安装",
        passage="长按重置键十秒，直到指示灯闪蓝光，然后在应用中重新配对。",
        exchanges=(
            ("我的$product连不上无线网络，怎么办？", "请长按重置键十秒，指示灯闪蓝光后在应用里重新配对。"),
            ("现在可以了，谢谢！", "不客气，祝您使用愉快！"),
        ),
    ),
    Topic(
        project=RESEARCH,
        name="batteries",
        language="en",
        weight=18,
        subject="sodium-ion batteries",
        passage="Cells with hard-carbon anodes reached 160 Wh/kg in pilot production, at lower cost per cycle.",
        exchanges=(
            (
                "How do sodium-ion cells of $year compare with LFP on cost per cycle?",
                "Sodium-ion is close: about 5 % dearer per kWh, with more cycles. Figures past pilots are uncertain.",
            ),
            (
                "Which manufacturers publish cycle data?",
                "Three do. Two report 4,000 cycles at 25 °C; the third gives no temperature, so treat it with care.",
            ),
        ),
    ),
    Topic(
        project=RESEARCH,
        name="regulation",
        language="en",
        weight=16,
        subject="the EU AI Act",
        passage="Providers of general-purpose models keep technical documentation and a summary of training content.",
        exchanges=(
            (
                "What must a provider of a general-purpose model document since $year?",
                "Technical documentation, a copyright policy and a summary of the training content, kept up to date.",
            ),
            (
                "Does fine-tuning make us a provider?",
                "Only when the change is substantial; the guidance gives a threshold.",
            ),
            ("Draft two questions for our counsel.", "1. Is our adapter substantial? 2. Who signs the documentation?"),
        ),
    ),
    Topic(
        project=RESEARCH,
        name="asyncio",
        language="en",
        weight=14,
        subject="asyncio.TaskGroup cancellation",
        passage="When a task of a group fails, the others are cancelled and the errors leave as an ExceptionGroup.",
        exchanges=(
            (
                "Why does `fetch_all_pages()` swallow CancelledError inside a TaskGroup?",
                (
                    "Because of the bare except. Let it pass:\n```python\nasync with asyncio.TaskGroup() as group:\n"
                    "    for page_url in page_urls:\n        group.create_task(fetch_page(session, page_url))\n```"
                ),
            ),
            (
                "And with a limit of 8 at a time?",
                "Use `asyncio.Semaphore(8)` around the body of `fetch_page`; the group itself has no limit.",
            ),
        ),
    ),
    Topic(
        project=RESEARCH,
        name="cities",
        language="en",
        weight=14,
        subject="rents in European cities",
        passage="Asking rents in $city rose by 4.1 % in $year, new contracts by 6.3 %.",
        exchanges=(
            (
                "How did rents in $city develop up to $year?",
                "Asking rents rose by 4.1 %, new contracts by 6.3 %. The two series differ in what they count.",
            ),
            (
                "Show the SQL you used.",
                "```sql\nSELECT year, avg(rent_per_m2) FROM rent_index WHERE city = '$city' GROUP BY year\n```",
            ),
        ),
    ),
    Topic(
        project=RESEARCH,
        name="Wärmepumpen",
        language="de",
        weight=12,
        subject="Wärmepumpen im Bestand",
        passage="Im Feldtest lag die mittlere Jahresarbeitszahl im Bestand bei 3,1.",
        exchanges=(
            (
                "Welche Jahresarbeitszahl erreichen Wärmepumpen in Altbauten?",
                "Im Feldtest im Mittel 3,1; bei Vorlauftemperaturen unter 50 °C etwa 3,4.",
            ),
            ("Wie groß war die Stichprobe $year?", "Es waren 77 Gebäude; für Aussagen nach Baujahr ist das zu wenig."),
        ),
    ),
    Topic(
        project=RESEARCH,
        name="観光",
        language="ja",
        weight=8,
        subject="地方の観光統計",
        passage="$year年の延べ宿泊者数は前年比で八パーセント増加した。",
        exchanges=(
            (
                "$year年の地方の宿泊者数を教えてください。",
                "前年比で八パーセント増えました。速報値のため変わる可能性があります。",
            ),
            ("出典はどこですか。", "観光庁の宿泊旅行統計調査です。"),
        ),
    ),
    Topic(
        project=RESEARCH,
        name="新能源",
        language="zh",
        weight=8,
        subject="电动汽车的电池回收",
        passage="$year年动力电池回收量同比增长百分之二十。",
        exchanges=(
            ("$year年动力电池回收的主要技术路线有哪些？", "主要是湿法冶金和直接再生，后者的规模还很小。"),
            ("请用三句话总结。", "回收量增长很快。湿法仍是主流。直接再生还需要验证成本。"),
        ),
    ),
)
