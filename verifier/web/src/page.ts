/** The page: files are dropped, and the report is shown. Nothing leaves the browser. */

import type { GivenFile } from "./files.js";
import { type Report, report } from "./report.js";

const given = new Map<string, Uint8Array>();

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = "",
  className = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function byId(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}

async function take(files: Iterable<File>): Promise<void> {
  for (const file of files) given.set(file.name, new Uint8Array(await file.arrayBuffer()));
  refresh();
}

function refresh(): void {
  byId("files").replaceChildren(...[...given.keys()].map(listed));
  const files: GivenFile[] = [...given].map(([name, bytes]) => ({ name, bytes }));
  if (files.length === 0) {
    byId("report").replaceChildren();
    return;
  }
  let found: Report;
  try {
    found = report(files);
  } catch (error) {
    found = { verdict: "unusable", headline: `This page failed: ${String(error)}`, sections: [], milliseconds: 0 };
  }
  show(found);
}

function listed(name: string): HTMLElement {
  const item = element("li", name);
  const remove = element("button", "Remove");
  remove.type = "button";
  remove.setAttribute("aria-label", `Remove ${name}`);
  remove.addEventListener("click", () => {
    given.delete(name);
    refresh();
  });
  item.append(" ", remove);
  return item;
}

function show(found: Report): void {
  const verdict = element("p", found.headline, `verdict ${found.verdict}`);
  const parts = found.sections.map((section) => {
    const part = element("section");
    const list = element("ul");
    list.append(...section.lines.map((line) => element("li", line.text, line.mark)));
    part.append(element("h2", section.title), list);
    return part;
  });
  const time = found.milliseconds > 0 ? [element("p", `Checked in ${found.milliseconds.toFixed(0)} ms.`, "time")] : [];
  byId("report").replaceChildren(verdict, ...parts, ...time);
}

function start(): void {
  const drop = byId("drop");
  const chooser = byId("chooser") as HTMLInputElement;
  chooser.addEventListener("change", () => {
    void take(chooser.files ?? []).then(() => {
      chooser.value = "";
    });
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    });
  }
  document.addEventListener("drop", (event) => {
    void take((event as DragEvent).dataTransfer?.files ?? []);
  });
  byId("clear").addEventListener("click", () => {
    given.clear();
    refresh();
  });
  drop.dataset["ready"] = "yes";
}

start();
