// The editor of the SQL page, a Streamlit component. The page holds the text; this file shows it and says what is typed.
//
// Data in: label, revision, text, datasets, functions, faults {run, stale, places}. A new revision is a text that the
// page has set: another tab, a formatted text. Out: the state `typed` {revision, text}, and the trigger `run`
// {revision, text, selection}.

import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  completionStatus,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands";
import { bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { completionsOf } from "./completion.js";
import { dialectWith } from "./dialect.js";
import { underline } from "./faults.js";
import { colours, looks } from "./theme.js";

const IDLE = 500; // milliseconds after the last key before the page is told
const SINGLE = 2; // as many characters as one key puts in, with the bracket that closes it
const editors = new WeakMap();
let unsaid = null; // what was typed when the reader left for another page, to go on with on return

export default function mount(component) {
  const { data, parentElement } = component;
  if (!editors.has(parentElement)) editors.set(parentElement, new Editor(parentElement, data));
  const editor = editors.get(parentElement);
  editor.meet(component);
  return () => {
    editors.delete(parentElement);
    editor.close();
  };
}

class Editor {
  constructor(parent, data) {
    this.revision = data.revision;
    this.words = "";
    this.dirty = unsaid?.revision === data.revision;
    const text = this.dirty ? unsaid.text : data.text;
    unsaid = null;
    this.language = new Compartment();
    this.place = document.createElement("div");
    parent.append(this.place);
    // Keys are the editor's own: the page has shortcuts that would hear them.
    this.place.addEventListener("keydown", (event) => event.stopPropagation());
    this.view = new EditorView({ parent: this.place, root: parent, state: this.stateOf({ ...data, text }) });
  }

  /** Take what the page says at each of its runs. */
  meet({ data, setStateValue, setTriggerValue }) {
    this.say = setStateValue;
    this.ask = setTriggerValue;
    if (this.dirty && !this.waiting) this.wait();
    if (data.revision !== this.revision) this.show(data);
    const words = JSON.stringify([data.datasets, data.functions]);
    if (words !== this.words) {
      this.words = words;
      this.view.dispatch({ effects: this.language.reconfigure(speaking(data)) });
    }
    if (data.faults.run !== this.marked) {
      this.marked = data.faults.run;
      underline(this.view, data.faults.stale ? [] : data.faults.places);
    }
  }

  /** Show a text that the page has set; within one tab, undo leads back. */
  show(data) {
    const isSameTab = data.tab === this.tab;
    this.revision = data.revision;
    if (isSameTab) this.view.dispatch(replacing(this.view.state, data.text));
    else this.view.setState(this.stateOf(data));
    this.words = "";
    this.marked = undefined;
    this.rest();
    this.dirty = false;
  }

  stateOf(data) {
    this.tab = data.tab;
    return EditorState.create({
      doc: data.text,
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => this.runs() }, { key: "Tab", run: acceptCompletion }])),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": data.label, "aria-multiline": "true", spellcheck: "false" }),
        EditorView.updateListener.of((update) => this.hears(update)),
        EditorView.domEventHandlers({ focus: () => this.wait(), blur: (event) => this.leaves(event.relatedTarget) }),
        EditorView.lineWrapping,
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        bracketMatching(),
        closeBrackets(),
        syntaxHighlighting(colours),
        looks,
        this.language.of([]),
      ],
    });
  }

  hears(update) {
    if (!update.docChanged) return;
    this.dirty = true;
    this.wait();
    if (isTyped(update) && completionStatus(update.state) === null) startCompletion(this.view);
  }

  /** Tell the page what is written at once, but not on the way to another page: it would call the reader back. */
  leaves(next) {
    if (next?.closest("a")) this.rest();
    else this.tell();
  }

  wait() {
    this.rest();
    this.waiting = setTimeout(() => this.tell(), IDLE);
  }

  rest() {
    clearTimeout(this.waiting);
    this.waiting = null;
  }

  /** Tell the page what is written, once for each change. */
  tell() {
    this.rest();
    if (!this.dirty) return;
    this.dirty = false;
    this.say("typed", this.written());
  }

  /** Have the page run the selection, else the whole text. */
  runs() {
    const { from, to, empty } = this.view.state.selection.main;
    const line = this.view.state.doc.lineAt(from);
    const selection = empty
      ? null
      : { text: this.view.state.sliceDoc(from, to), line: line.number, column: from - line.from + 1 };
    this.tell();
    this.ask("run", { ...this.written(), selection });
    return true;
  }

  written() {
    return { revision: this.revision, text: this.view.state.doc.toString() };
  }

  close() {
    this.rest();
    if (this.dirty) unsaid = this.written();
    this.view.destroy();
    this.place.remove();
  }
}

/** Put in a text as one step of its own: undo must not take what was typed just before along with it. */
function replacing(state, text) {
  return { changes: { from: 0, to: state.doc.length, insert: text }, annotations: isolateHistory.of("full") };
}

function speaking(data) {
  return [
    dialectWith(data.functions).extension,
    autocompletion({ override: [completionsOf(data)], activateOnTyping: false, icons: false }),
  ];
}

/** Whether a key was pressed that begins or goes on with a word, and no text put in at once. */
function isTyped(update) {
  let size = 0;
  let last = "";
  update.changes.iterChanges((fromA, toA, fromB, toB, inserted) => {
    size += inserted.length;
    last = inserted.toString().slice(0, 1);
  });
  return update.transactions.some((each) => each.isUserEvent("input.type")) && size <= SINGLE && /[\w.']/.test(last);
}
