import type { Client } from "pg";
import type { SearchFilter, SearchRequest } from "../../gateway/catalogue/search/search-request.ts";
import { chordOf } from "../../gateway/catalogue/search/search-statements.ts";

const NO_INDEX = `
  SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off`;

/** Words as typed, in one kind of text; the last may be a beginning, unless a letter is all. */
const matches = (words: string, whole: boolean): string => `${words} @@ (
  SELECT string_agg(quote_literal(word) || CASE
    WHEN position = count AND (length(word) > 1 OR count > 1) AND NOT ${whole}
    THEN ':*' ELSE '' END, '&')::tsquery
  FROM (SELECT word, position, count(*) OVER () AS count
        FROM regexp_split_to_table(search_fold(q), '[^[:alnum:]]+') WITH ORDINALITY
          AS s (word, position) WHERE word <> '') AS typed)`;

const CONDITIONS = `
  (q IS NULL OR ${matches("all_words", false)})
  AND (category IS NULL OR 'c:' || search_fold(category) = ANY (keys))
  AND (tag IS NULL OR 't:' || search_fold(tag) = ANY (keys))
  AND (city IS NULL OR 'p:' || search_fold(city) = ANY (keys))
  AND (wanted_currency IS NULL OR currency = wanted_currency)
  AND (from_ms IS NULL OR starts_ms >= from_ms) AND (to_ms IS NULL OR starts_ms < to_ms)
  AND (chord IS NULL OR place <-> search_place(lat, lng) <= chord)
  AND ((min_price IS NULL AND max_price IS NULL) OR EXISTS (
    SELECT FROM unnest(prices) AS price
    WHERE price BETWEEN COALESCE(min_price, 0) AND COALESCE(max_price, price)))
  AND (NOT available OR (
    has_free AND over_ms > extract(epoch FROM now()) * 1000
    AND COALESCE(sales_open_at <= now(), true) AND COALESCE(sales_close_at > now(), true)))`;

const ORDERS = {
  startsAt: "starts_ms, event_id",
  relevance: `CASE WHEN ${matches("title_words", true)} THEN 0
    WHEN ${matches("title_words", false)} THEN 1 WHEN ${matches("head_words", false)} THEN 2
    ELSE 3 END, starts_ms, event_id`,
  distance: "place <-> search_place(lat, lng), starts_ms, event_id",
};

/** The first page as a look at every row finds it, misspelt words aside. */
export async function plainSearch(client: Client, request: SearchRequest): Promise<string[]> {
  await client.query(NO_INDEX);
  const { rows } = await client.query<{ event_id: string }>(
    `WITH asked (q, category, tag, city, wanted_currency, from_ms, to_ms, lat, lng, chord,
       min_price, max_price, available) AS (
       SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::bigint, $7::bigint,
         $8::float8, $9::float8, $10::float8, $11::bigint, $12::bigint, $13::boolean)
     SELECT event_id FROM event_search, asked WHERE ${CONDITIONS}
     ORDER BY ${ORDERS[request.sort]} LIMIT ${request.limit}`,
    valuesOf(request.filter),
  );
  return rows.map((row) => row.event_id);
}

function valuesOf(filter: SearchFilter): unknown[] {
  const { near, radiusKm } = filter;
  return [
    ...[filter.q, filter.category, filter.tag, filter.city, filter.currency],
    ...[filter.fromMs, filter.toMs, near?.lat ?? null, near?.lng ?? null],
    ...[radiusKm === null ? null : chordOf(radiusKm), filter.minPrice, filter.maxPrice],
    filter.available,
  ];
}
