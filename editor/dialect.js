// DuckDB's SQL as this portal takes it: one SELECT. The functions are those that the portal allows, and come with the page.

import { SQLDialect } from "@codemirror/lang-sql";

export const KEYWORDS = `all and anti any array as asc asof at between by case cast collate columns cross cube current
  date desc distinct else end escape except exclude exists false filter first following for from full glob group
  grouping groups having if ignore ilike in include inner intersect interval is join last lateral left like limit
  materialized name natural not null nulls offset on or order ordinality outer over partition pivot positional preceding
  qualify range recursive replace respect right rollup row rows sample select semi sets similar struct table tablesample
  then ties time timestamp to true try_cast unbounded union unpivot using values when where window with within without
  `.trim().split(/\s+/);

const TYPES = `bigint bit blob bool boolean date decimal double float hugeint int integer interval json numeric real
  smallint text time timestamp timestamptz tinyint ubigint uhugeint uinteger usmallint utinyint uuid varchar`;

/** The dialect for highlighting. Dollar signs begin parameters. */
export function dialectWith(functions) {
  return SQLDialect.define({
    keywords: KEYWORDS.join(" "),
    types: TYPES,
    builtin: functions.map((each) => each.name).join(" "),
    operatorChars: "*+-%<>!=&|~^/@",
    specialVar: "$",
    caseInsensitiveIdentifiers: true,
  });
}
