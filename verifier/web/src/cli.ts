#!/usr/bin/env node
/** `zkmargin-verify FILE...`: the report in the terminal. Exit codes: 0 valid, 1 not valid, 2 unusable or incomplete. */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Report, report } from "./report.js";

const MARKS = { checked: "+", wrong: "-", told: " " } as const;
const CODES = { valid: 0, invalid: 1, unusable: 2, incomplete: 2 } as const;

function main(paths: readonly string[]): number {
  if (paths.length === 0 || paths.some((path) => path === "-h" || path === "--help")) {
    process.stdout.write("zkmargin-verify FILE...\n\nStatement, program and proof; or a submission; receipts; attestations.\n");
    return paths.length === 0 ? 2 : 0;
  }
  const files = [];
  for (const path of paths) {
    try {
      files.push({ name: basename(path), bytes: new Uint8Array(readFileSync(path)) });
    } catch (error) {
      process.stderr.write(`${path}: file: ${(error as NodeJS.ErrnoException).code}: name a readable file\n`);
      return 2;
    }
  }
  const found = report(files);
  (found.verdict === "unusable" ? process.stderr : process.stdout).write(written(found));
  return CODES[found.verdict];
}

function written(found: Report): string {
  const sections = found.sections.map(
    (section) => `\n${section.title}\n${section.lines.map((line) => `  ${MARKS[line.mark]} ${line.text}\n`).join("")}`,
  );
  return `${found.headline}\n${sections.join("")}`;
}

process.exitCode = main(process.argv.slice(2));
