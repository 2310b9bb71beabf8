-- Data of our own attacks; deterministic. No seller is in two regions.
-- orders: buyers stay in their region, too. North 30 sellers, south 26, east 20, west 14, port 12 (one of them has nearly all money), cape 9, isle 5; no region 8.
--         Refunds are negative. Some sellers are NULL; three sellers of north have orders without an amount; four use the kiosk.
CREATE TABLE sellers AS
SELECT upper(region[1:1]) || lpad(n::VARCHAR, 3, '0') AS seller_id, region, n
FROM (VALUES ('north', 30), ('south', 26), ('east', 20), ('west', 14), ('port', 12), ('cape', 9), ('isle', 5), (NULL, 8)) r(region, size),
     (SELECT unnest(range(40)) AS n) WHERE n < size;
UPDATE sellers SET seller_id = 'X' || n WHERE region IS NULL;
CREATE TABLE orders AS
SELECT CASE WHEN region = 'north' AND n > 27 THEN NULL ELSE seller_id END AS seller_id,
       'B' || coalesce(region[1:2], 'x') || ((n * 37 + month * 11 + length(channel) * 5) % 60) AS buyer_id,
       region, channel, (month % 2 = 0) AS express, DATE '2026-01-05' + to_months(month)::INTERVAL + to_days(n % 9) AS order_day,
       CASE WHEN region = 'port' AND n = 0 THEN 90000.0
            WHEN region = 'north' AND n < 3 AND channel = 'app' THEN NULL
            WHEN n % 7 = 3 THEN -20.0 - n ELSE 40.0 + (n * 31 + month * 7) % 60 END AS amount_eur,
       1 + (n * 5 + month) % 9 AS items, 'Note ' || seller_id || month AS note
FROM sellers, (SELECT unnest(range(4)) AS month), (SELECT unnest(['web', 'app', 'phone']) AS channel);
INSERT INTO orders
SELECT seller_id, 'Bea' || n, region, 'kiosk', false, DATE '2026-02-03', 55.0, 2, 'Note kiosk' FROM sellers WHERE region = 'east' AND n < 4;
ALTER TABLE orders ALTER order_day TYPE DATE;
-- visits: visitor NULL is a bot; section rare has 6 visitors, help 40, shop 80, bots none that is known.
CREATE TABLE visits AS
SELECT 'V' || i AS visit_id,
       CASE WHEN i % 11 = 0 THEN NULL WHEN i % 400 < 6 THEN 'R' || (i % 6) WHEN i % 2 = 0 THEN 'H' || (i % 40) ELSE 'S' || (i % 80) END AS visitor_id,
       CASE WHEN i % 11 = 0 THEN 'bots' WHEN i % 400 < 6 THEN 'rare' WHEN i % 2 = 0 THEN 'help' ELSE 'shop' END AS section,
       (i % 3 = 0) AS signed_in, TIMESTAMP '2026-01-01' + to_hours(i) AS seen_at, (i * 13) % 500 AS seconds, 'page ' || i AS page_text
FROM range(4000) t(i);
CREATE TABLE params AS
SELECT 'p' || (i % 20) AS param, (i % 89) / 8.0 AS weight, ['north', 'south', 'isle'][1 + i % 3] AS zone,
       'hush-' || i AS secret_hash, DATE '2026-01-01' + (i % 100)::INT AS since
FROM range(300) t(i);
CREATE TABLE dim_region AS
SELECT * FROM (VALUES ('north', 'The North', DATE '1990-03-01', 900), ('south', 'The South', DATE '1995-01-01', 700), ('east', 'The East', DATE '2001-07-01', 500),
                      ('west', 'The West', DATE '2004-05-01', 300), ('port', 'Port', DATE '2010-01-01', 90), ('cape', 'Cape', DATE '2015-06-01', 20),
                      ('isle', 'Isle', DATE '2020-01-01', 5), ('void', 'Void', DATE '2021-01-01', 0)) t(code, name, founded, people);
CREATE TABLE dim_channel AS SELECT * FROM (VALUES ('web', true), ('app', true), ('phone', false)) t(channel, online);
CREATE TABLE vault AS SELECT 'gold' AS inside;
