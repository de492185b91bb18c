"""What people and robots wrote in the channels of the demo's incidents.

A line is "hh:mm:ss who [options] text", in UTC. Options: pin, alarm=… (which one a robot repeats), +emoji:count.
"edit hh:mm:ss text" and "delete hh:mm:ss" are later versions of the message above them. The two cascades keep the minutes of the
story: the outage from 03:14 to 07:52 and Black Friday from 23:42 to 04:18, both EST (UTC-5).
"""

from __future__ import annotations

from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID

ROBOT = "pager-bot"
PEOPLE = {
    "maya": "Maya Okafor", "dave": "Dave Lindqvist", "priya": "Priya Raman", "sarah": "Sarah Whitfield",
    "ines": "Inês Carvalho", "tomas": "Tomáš Dvořák", "jonas": "Jonas Weber", "leila": "Leila Haddad",
    "kenji": "Kenji Arai", "bea": "Beatriz Molina", "omar": "Omar Siddiqui", "grace": "Grace Mbeki",
}  # fmt: skip

PLANTED = (
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "Friday-tr0ub4dor-24", "duty.desk@acquirer-pay.example",
    "+1 202 555 0147",
)  # fmt: skip
"""What somebody pasted by mistake: the example key of AWS's own documentation, a password, an e-mail address and a telephone
number out of the range for fiction. None of them may reach anything that Nightshift shows."""
_KEY_ID, _KEY, _PASSWORD, _EMAIL, _PHONE = PLANTED

BLAMING = "Dave broke this again, he should have tested the retry change properly."
"""A sentence that blames a person."""

_BLACK_FRIDAY = f"""
04:42:25 pager-bot [alarm=platform-availability] P1 platform-availability: 47 services are failing, full platform outage
04:42:40 pager-bot P1 checkout-api, P1 order-api, P1 payment-api, P1 cart-api and 43 more. On call: Tomáš Dvořák
04:45:10 tomas [+eyes:2] On it. 61 pages in three minutes, I do not know where to start.
04:51:30 tomas Starting with order-api, it is the one that crashed.
04:58:05 tomas order-api does not come up: "connection to payment-db timed out". So does everything else.
05:06:20 leila Support here: nobody can pay and nobody can log in. Is there a text that we may send?
05:08:45 tomas The decision engine is off, somebody pressed its kill switch at 04:42. I leave it off until I know more.
05:17:10 tomas This is too big for one person. Escalating to the senior SRE.
05:17:35 pager-bot Paged: Sarah Whitfield (senior SRE)
05:21:50 sarah Here. Who is the commander? Who writes to the customers?
05:22:30 tomas Nobody, and nobody.
05:27:15 sarah Requests are at four times a normal Friday. Is that Black Friday, or are we under attack?
05:31:40 jonas The edge sees ordinary Black Friday traffic. No attack. The rest comes from inside.
05:34:10 sarah Escalating to the VP Engineering: everything has been down since 23:42 EST and we have no cause.
05:34:30 pager-bot Paged: Inês Carvalho (VP Engineering)
05:38:05 ines Joining. Marketing stops its mailing. What do you need from me?
05:44:20 priya Database on call. payment-db has 3,000 of 3,000 connections. I would restart it, that drops all of them.
05:46:00 sarah Nobody objects? Then go.
05:52:10 priya Restarting payment-db-1.
05:57:30 priya [+cry:3] It made things worse: all 3,000 connections were back within 40 seconds and sessions in flight are lost.
06:04:15 leila #CompanyNameDown is trending. We are at 1,100 tickets.
06:12:20 priya For whoever wants to look: psql postgresql://shop_admin:{_PASSWORD}@payment-db-1.example:5432/payments
06:14:05 sarah Priya, that is a password in a channel. Rotate it, please, tonight.
06:23:10 ines [pin +raised_hands:11] Declaring SEV-1. All hands war room on bridge 1, 23 engineers. I command, Grace writes.
06:24:40 grace Status page: we are investigating a full outage of the shop.
06:38:50 bea Is it the catalog cache? Its hit rate fell at 04:27.
06:47:30 bea No. The hit rate fell because nobody gets as far as the catalog. Ruled out.
06:55:00 kenji Could a bad disk in one zone do this? All three zones look the same, so no.
07:03:25 omar user-preferences-api answers in 500 ms instead of 50 ms. It does answer, so I took it for a symptom.
07:16:40 sarah Callers give up on it after 1 s and retry three times. Draw that through 12 services and it fills every pool.
07:29:10 omar Our cache keeps entries for 5 s instead of 300 s since cfg-1188, 03:58 UTC, 25 minutes before the first timeout.
07:45:10 sarah [pin +bulb:9] Root cause identified: user-preferences-api is slow, retries do the rest.
07:50:40 omar I switch the engine on for user-preferences-api and let it take cfg-1188 back.
07:52:30 omar cfg-1189 is out, entries are kept for 300 s again. Latency of user-preferences-api: 480, 210, 55 ms.
08:03:45 priya Connections are still at 2,990. Retries keep them there although nothing is slow any more.
08:12:40 sarah [pin] Throttling retries. Gradual recovery begins: payments first, then orders.
08:31:15 maya Payments at 60 % of a normal Saturday. Connections 1,940.
08:40:20 tomas The engine restarts order-api, and this time it comes up.
08:58:30 leila 2,340 tickets so far, 12,000 carts left behind. The queue has stopped growing.
09:18:20 ines [pin +tada:17] Full platform recovery. All clear after 4 hours and 36 minutes.
09:31:00 ines The CEO will apologise to customers himself. Thank you, everybody. Go to bed.
16:00:15 grace Closing the incident. The review is on Tuesday.
"""

_OUTAGE = f"""
08:14:18 pager-bot [alarm=payment-api-error-rate] P1 payment-api-error-rate: Payment processing API, error rate 47 %
08:14:30 pager-bot Paged: Maya Okafor (payments on call)
08:17:05 maya [+eyes:1] Awake. Looking at the dashboard, everything is on fire.
08:19:40 maya Error rate 47 %. Database connections 2,847 of 3,000 (96 %). Order processing has stopped completely.
08:24:10 leila Support: "your payment could not be processed", 40 tickets in ten minutes.
08:28:30 maya First guess: the card network. Their status page is green and test cards work, so it is us.
08:34:20 maya The engine has scaled payment-api three times and is out of executions. More machines do not help.
08:45:15 maya [+sweat_smile:2] Half an hour in and I still do not know what is wrong. Going through all 247 dashboards.
08:52:05 jonas Platform is here. Ask Dave, he knows how the payment system works.
08:54:00 maya He is not on call tonight. I try without him first.
09:12:10 maya fraud-detection-api looks suspicious: 25 % more calls than usual and slow. Restarting it.
09:16:30 maya Error rate is still 46 %.
09:18:15 maya [pin] That did not work. Declaring SEV-1 and waking up the service owner.
09:18:35 pager-bot Paged: Dave Lindqvist (owner of payment-api), Sarah Whitfield (senior SRE)
09:26:00 dave Here. Booting the laptop.
09:29:20 sarah Here too. I command from now on, Maya keeps her hands on the keyboard.
09:31:45 tomas [+neutral_face:1] {BLAMING}
09:33:10 sarah Let us look at the system first, please. Whoever ships something relies on the checks that we all built.
09:38:30 dave v7.20.0 went out at 07:52: clients retry three times. It looked fine in staging, where nothing is ever slow.
09:47:10 dave Check the database. Waiting for a connection is on top of every slow trace.
09:47:40 pager-bot Paged: Priya Raman (database on call)
09:58:20 priya Database on call. payment-db-1 is at 98 % CPU. Looking for locks.
10:06:00 priya No locks, no long transactions. It is not a query.
10:11:30 dave Queue metrics, if you cannot see them: export AWS_ACCESS_KEY_ID={_KEY_ID} AWS_SECRET_ACCESS_KEY={_KEY}
edit 10:14:40 Queue metrics, if you cannot see them: ask me for access.
10:13:05 sarah Dave, that was a key that works. I have asked security to revoke it.
10:23:05 priya [pin +eyes:4] Connection pool exhaustion: payment-api holds 2,847 of 3,000, most wait for fraud checks.
10:31:20 leila 390 tickets. The acquirer wants to talk to us: {_EMAIL}, {_PHONE}.
10:40:15 priya A failover to the standby would drop all connections at once. Payments are refused for a minute or two.
10:48:00 sarah Error budget is gone anyway. Go, chg-7741.
10:59:30 priya Standby is in sync.
11:02:20 priya Failing payment-db over now.
11:06:40 priya [+cry:4] That made things worse. All clients came back at once and the standby is full too.
edit 11:08:00 That made things worse. All clients came back at once, the standby is full too, and its cache is cold.
11:10:15 sarah Escalating: VP Engineering, please join. War room on bridge 4, one person speaks at a time.
11:14:20 ines Joined. 12,000 dollars a minute. Who decides? Good, Sarah. What do you need?
11:19:00 tomas Shall I restart payment-api-1 through payment-api-12?
11:20:10 sarah No restarts. Every restart is another wave of reconnects.
11:31:30 priya Failover taken back, payment-db-1 is the primary again.
11:37:50 dave One payment becomes up to 16 calls: three retries in payment-api times three in the client, without jitter.
11:45:10 sarah [pin +bulb:7] Root cause identified: a cascading retry storm. Retries fill the pool.
11:48:40 sarah retry-throttle is on: 50 retries per second for everybody.
11:57:00 priya Connections 2,610, and they go down for the first time tonight.
12:05:30 jonas The engine adds two members to payment-web. The pool has room for them now.
12:16:10 maya Error rate 21 %. First orders come through.
edit 12:17:00 Error rate 12 %. First orders come through.
12:28:45 maya 3 %.
12:37:15 maya [pin +crossed_fingers:5] Partial recovery: payments work, 0.8 % fail, orders catch up.
12:44:00 leila 840 tickets in total, 127 carts that we will not see again.
12:52:20 sarah [pin +tada:12] Full recovery. Order queue is empty, all checks are green. Resolved.
12:55:30 tomas wrong channel, sorry: lunch at the usual place?
delete 12:56:10
13:05:00 sarah Thank you all. The review begins at 15:00; v7.20.1 with jitter and a budget goes out tomorrow, not today.
21:05:00 grace Closing the incident. Six hours of review, twelve action items, each with one owner.
"""

SCRIPTS: tuple[tuple[str, str, str], ...] = (
    (BLACK_FRIDAY_ID, "2024-11-30", _BLACK_FRIDAY),
    ("INC-2024-3051", "2024-12-12", """
14:04:30 pager-bot [alarm=search-api-empty-results] search-api-empty-results: 31 % of searches find nothing
14:07:15 kenji Seen. It is only one zone, us-east-1b.
14:15:20 kenji [pin] Declaring SEV-2. A third of all searches comes back empty.
14:26:00 bea Catalog has not changed anything today. The documents are all there.
14:41:10 kenji Root cause: a replica is 9 hours behind its index and still in rotation.
14:58:05 kenji Took the replica out of rotation.
15:03:30 kenji Empty results are back at 0.4 %.
15:20:00 kenji [pin +tada:2] Resolved. The replica rebuilds overnight.
17:10:00 grace Closing the incident, two action items.
"""),
    ("INC-2024-3140", "2024-12-20", """
08:10:20 pager-bot [alarm=invoice-render-queue] invoice-render-queue: 18,400 invoices wait, limit 5,000
08:31:00 dave Looking. The year-end run started at 07:30 UTC, an hour before everything else.
08:48:15 leila Two merchants ask where their invoices are. No hurry, they say.
09:05:10 dave Found the cause: the render pool has room for 40, the year-end run alone takes 40.
09:40:20 dave Paused the year-end run, ordinary invoices go first.
10:25:00 dave Backlog is empty. The year-end run goes on at half speed.
10:30:10 dave Resolved.
15:00:00 grace Closing the incident.
"""),
    ("INC-2025-0041", "2025-01-13", """
17:15:25 pager-bot [alarm=payment-api-declines] payment-api-declines: 8.2 % of payments are declined, limit 2 %
17:18:10 maya Here. Declines come from us, not from the banks.
17:24:05 maya [pin] Declaring SEV-2.
17:33:40 maya Rolling v3.41.0 of fraud-detection-api back would take 40 minutes. Trying a restart first.
17:46:15 maya The restart did not help. Pool is full again.
18:02:30 priya payment-db: 2,400 connections, twice the usual. Smells like Black Friday.
18:20:10 sarah [pin +bulb:3] Root cause: retries to fraud-detection-api fill the pool, as in November.
18:41:00 sarah The limit that we agreed on in December was never rolled out. Rolling it out now.
19:02:20 maya Limit is on. Declines 1.9 %, going down.
19:11:05 maya Declines 0.6 %, that is a normal Monday.
19:40:00 sarah [pin] Resolved. Six weeks after Black Friday, the same type of incident. That is worth a talk.
21:30:00 grace Closing the incident, four action items.
"""),
    ("INC-2025-0118", "2025-01-27", """
18:55:00 jonas [pin] Exercise begins at 19:00 UTC: 200 ms on half of the queries to payment-db. No customer should notice.
19:00:05 jonas Injecting.
19:01:40 maya Acknowledged within a minute. Dashboards show it, the pager does not have to.
19:03:10 maya Identified: circuit breakers to payment-db opened after 40 s. As intended.
19:10:15 jonas Injection is off. p99 was 430 ms at most, errors 0.02 %.
19:15:00 jonas [+muscle:4] Exercise over. Next time 500 ms.
19:40:00 jonas Notes are in the runbook.
"""),
    ("INC-2025-0177", "2025-02-08", """
02:45:00 priya [pin] Reminder: minor version of payment-db from 03:00 UTC. Writes are refused for up to 30 minutes.
03:00:10 priya Window begins, upgrading payment-db-1.
03:14:30 priya Engine is on the new version, standby follows.
03:24:20 priya Writes are accepted again after 24 minutes.
03:45:00 priya Checks are green. Window closed.
03:50:00 priya Done.
"""),
    ("INC-2025-0246", "2025-02-19", """
15:44:20 pager-bot [alarm=catalog-api-5xx] catalog-api-5xx: 11 % of product pages fail
15:45:30 bea Ack. v9.12.0 went out at 15:36.
15:48:10 bea The engine wanted to roll back, and the deployment lock kept it from doing so. The second half is still rolling out.
15:52:00 bea [pin] Declaring SEV-2, stopping the roll-out.
15:56:15 bea Root cause: stock_level is availability now, and cart-api still reads stock_level.
16:01:45 bea Lock released, the engine rolls back to v9.11.3.
16:03:20 bea Mitigated: 0.3 % fail, from machines that are not back yet.
16:04:30 bea All machines are on v9.11.3.
16:20:00 bea [pin +tada:3] Resolved, 23 minutes of impact. The engine was right in minute one.
17:45:00 grace Closing the incident, two action items.
"""),
    (OUTAGE_ID, "2025-03-03", _OUTAGE),
    ("INC-2025-0349", "2025-03-05", """
17:19:20 pager-bot [alarm=search-api-latency-p99] search-api-latency-p99: 940 ms, limit 300 ms
17:24:05 kenji Looking. Query rate has tripled since 17:10.
17:30:15 kenji [pin] Declaring SEV-2. The engine has added two replicas already.
17:41:10 kenji Identified: one crawler walks the sitemap that we opened at 16:55.
17:49:20 kenji Crawler is limited to 20 requests per second. p99 is at 310 ms.
17:55:00 kenji p99 is at 180 ms, below its objective.
18:20:10 kenji Resolved. Thank you, engine: it had acted before I was at the keyboard.
18:45:00 grace Closing the incident, one action item.
"""),
    ("INC-2025-0361", "2025-03-08", """
20:05:25 pager-bot [alarm=inventory-consumer-lag] inventory-consumer-lag: 11 minutes behind, limit 5 minutes
20:11:10 bea Seen. Stock levels are late, orders still go through.
20:30:05 bea [pin] Declaring SEV-3. Two consumers restart every few minutes.
20:52:40 bea Memory? They have plenty. Not that.
21:35:00 leila Three customers bought something that was sold out. Support calls them.
22:40:20 bea Lag is at 4 to 14 minutes, up and down. Handing over to the morning shift with what we know.
"""),
    ("INC-2025-0361", "2025-03-09", """
09:05:30 jonas Taking over. Rebalances come in waves of ten minutes; that is a clue, no cause yet.
16:20:00 jonas Lag is between 3 and 9 minutes. We keep it open over the night.
"""),
)  # fmt: skip
