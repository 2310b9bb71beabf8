// Colours and measures, all from the page's own theme: light and dark follow by themselves.

import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const line = "1px solid var(--st-border-color)";

export const looks = EditorView.theme({
  "&": {
    color: "var(--st-text-color)",
    backgroundColor: "var(--st-secondary-background-color)",
    border: line,
    borderRadius: "var(--st-base-radius)",
    fontSize: "var(--st-code-font-size)",
    minHeight: "14rem",
    maxHeight: "60vh",
  },
  "&.cm-focused": { outline: "2px solid var(--st-primary-color)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "var(--st-code-font)", lineHeight: "1.5", overflow: "auto" },
  ".cm-content": { caretColor: "var(--st-text-color)", padding: "0.5rem 0" },
  ".cm-gutters": {
    backgroundColor: "transparent",
    color: "var(--st-gray-text-color)",
    border: "none",
  },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--st-text-color) 5%, transparent)",
  },
  ".cm-cursor": { borderLeftColor: "var(--st-text-color)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--st-primary-color) 30%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "color-mix(in srgb, var(--st-primary-color) 25%, transparent)",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--st-background-color)",
    color: "var(--st-text-color)",
    border: line,
    borderRadius: "var(--st-base-radius)",
    boxShadow: "0 2px 8px rgb(0 0 0 / 20%)",
    maxWidth: "min(34rem, 90vw)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--st-code-font)", maxHeight: "15rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.6rem", lineHeight: "1.4" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "color-mix(in srgb, var(--st-primary-color) 20%, var(--st-background-color))",
    color: "var(--st-text-color)",
  },
  ".cm-completionDetail": { color: "var(--st-gray-text-color)", fontStyle: "normal", fontFamily: "var(--st-font)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-tooltip.cm-completionInfo": { padding: "0.4rem 0.6rem", fontFamily: "var(--st-font)" },
  ".cm-diagnostic": { borderLeftColor: "var(--st-red-text-color)", fontFamily: "var(--st-font)", padding: "0.4rem 0.6rem" },
  ".cm-diagnostic p": { margin: "0" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--st-red-text-color) 1px",
    textUnderlineOffset: "0.25em",
  },
});

export const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--st-blue-text-color)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--st-green-text-color)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--st-orange-text-color)" },
  { tag: [tags.standard(tags.name)], color: "var(--st-violet-text-color)" },
  { tag: [tags.typeName], color: "var(--st-violet-text-color)" },
  { tag: [tags.special(tags.name)], color: "var(--st-red-text-color)" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--st-gray-text-color)", fontStyle: "italic" },
]);
