// What may come next, from what is open to the reader: datasets, their columns, the values of the codebook, functions.

import { syntaxTree } from "@codemirror/language";
import { KEYWORDS } from "./dialect.js";

const WORD = /[A-Za-z_]\w*$/;
const MEMBER = /([A-Za-z_]\w*)\.(\w*)$/;
const AFTER_FROM = /\b(?:from|join)\s+\w*$/i;
const PARAMETER = /\$\w*$/;
const COMPARED = new RegExp(
  String.raw`([a-z_]\w*)\s*(?:=|<>|!=|(?:not\s+)?in\s*\((?:\s*'(?:[^']|'')*'\s*,)*|(?:not\s+)?i?like)\s*$` +
    String.raw`|list_contains\s*\(\s*(?:\w+\.)?([a-z_]\w*)\s*,\s*$`,
  "i",
);
const KINDS = { column: 3, dataset: 2, function: 0, keyword: -1 };

/** Return a completion source over `{datasets, functions}`. */
export function completionsOf({ datasets, functions }) {
  const words = [
    ...functions.map(({ name, kind }) => option("function", name, { detail: kind, apply: applyCall })),
    ...KEYWORDS.map((word) => option("keyword", word.toUpperCase())),
  ];
  const tables = datasets.map(({ name, title }) => option("dataset", name, { detail: "dataset", info: title }));

  return (context) => {
    const { state, pos } = context;
    const node = syntaxTree(state).resolveInner(pos, -1);
    if (/Comment/.test(node.name)) return null;
    const text = state.doc.toString();
    const open = mentioned(text, datasets);
    if (node.name === "String" && pos > node.from) {
      return valuesOf(text.slice(0, node.from), node.from + 1, open, "");
    }
    const before = text.slice(0, pos);
    const member = MEMBER.exec(before);
    if (member) return offered(pos - member[2].length, columnsOf(open.filter((each) => each.names.has(lower(member[1])))));
    if (PARAMETER.test(before)) return null;
    const from = pos - (WORD.exec(before)?.[0].length ?? 0);
    if (isKeyword(text.slice(from, pos))) return null;
    if (from === pos && !context.explicit) return null;
    if (AFTER_FROM.test(before)) return offered(from, tables);
    const quoted = from === pos ? valuesOf(before, pos, open, "'") : null;
    return quoted ?? offered(from, [...columnsOf(open), ...tables, ...words]);
  };
}

/** Return the datasets that a text names, with the names that it calls them by; all of them where it names none. */
function mentioned(text, datasets) {
  const named = datasets.flatMap((dataset) => {
    const found = [...text.matchAll(new RegExp(String.raw`\b${dataset.name}\b(?:\s+(?:as\s+)?(\w+))?`, "gi"))];
    const aliases = found.map((match) => lower(match[1] ?? "")).filter((word) => word && !isKeyword(word));
    return found.length ? [{ dataset, names: new Set([dataset.name, ...aliases]) }] : [];
  });
  return named.length ? named : datasets.map((dataset) => ({ dataset, names: new Set([dataset.name]) }));
}

function columnsOf(open) {
  const options = new Map();
  for (const { dataset } of open) {
    for (const { name, type, meaning } of dataset.columns) {
      const info = options.has(name) ? undefined : meaning;
      options.set(name, option("column", name, { detail: type, info }));
    }
  }
  return [...options.values()];
}

/** Return the values of the column that stands before a comparison; `quote` is what must still open them. */
function valuesOf(head, from, open, quote) {
  const match = COMPARED.exec(head);
  const name = lower(match?.[1] ?? match?.[2] ?? "");
  const values = new Map(
    open.flatMap(({ dataset }) =>
      dataset.columns.filter((column) => column.name === name).flatMap((column) => Object.entries(column.values)),
    ),
  );
  if (!values.size) return null;
  const options = [...values].map(([value, label]) => ({
    label: value,
    detail: label === value ? undefined : label,
    type: "value",
    apply: (view, _, start, to) => write(view, start, to, `${quote}${value.replaceAll("'", "''")}`, "'"),
  }));
  return { from, options, validFor: /^[^']*$/ };
}

/** Write a function's name with its parentheses, unless they are there, and stand behind the first. */
function applyCall(view, { label }, from, to) {
  const isCalled = view.state.sliceDoc(to, to + 1) === "(";
  write(view, from, to, label, isCalled ? "(" : "()");
}

/** Write words and what follows them, unless it stands there already, and stand behind its first sign. */
function write(view, from, to, words, after) {
  const end = view.state.sliceDoc(to, to + after.length) === after ? to + after.length : to;
  view.dispatch({
    changes: { from, to: end, insert: words + after },
    selection: { anchor: from + words.length + 1 },
    userEvent: "input.complete",
  });
}

function option(type, label, rest = {}) {
  return { type, label, boost: KINDS[type], ...rest };
}

function offered(from, options) {
  return options.length ? { from, options, validFor: (word) => /^\w*$/.test(word) && !isKeyword(word) } : null;
}

/** Whether a word is a whole keyword: then there is nothing to propose, and Enter begins a new line. */
function isKeyword(word) {
  return KEYWORDS.includes(lower(word));
}

function lower(name) {
  return name.toLowerCase();
}
