// Faults of the last statement, underlined at their place, with what to do as their tooltip.

import { setDiagnostics } from "@codemirror/lint";

/** Underline the faults, each `{line, column, message, fix}` counted from 1; those without a place stay in the page. */
export function underline(view, faults) {
  const doc = view.state.doc;
  const found = faults.map((fault) => {
    const line = doc.line(Math.min(Math.max(fault.line, 1), doc.lines));
    const from = Math.min(line.from + fault.column - 1, line.to);
    const word = /^(?:"[^"]*"|'[^']*'|[\w$]+(?:\.\w+)*|\S)/.exec(doc.sliceString(from, line.to));
    return {
      from,
      to: from + (word?.[0].length ?? 0),
      severity: "error",
      message: [fault.message, fault.fix].filter(Boolean).join(" "),
      renderMessage: () => worded(fault),
    };
  });
  found.sort((one, other) => one.from - other.from);
  view.dispatch(setDiagnostics(view.state, found));
}

function worded({ message, fix }) {
  const whole = document.createElement("div");
  whole.append(paragraph(message));
  if (fix) whole.append(paragraph(`What to do: ${fix}`));
  return whole;
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}
