// Bundles the page into one file that needs nothing else, or checks that the committed one is what would be made.
//
//     node build.mjs [--check]

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const LARGEST = 120_000;
const PAGE = new URL("../service/page/verify.html", import.meta.url);
// Names of fields that no document has, which are shortened in the bundle.
const SHORTENED =
  /^(coefficientValues|shiftedOpening|runningSum|tableHelper|squareValue|limbValues|shiftedSum|quotients|helpers|rowTerms|uTerms|vTerms|singles|equations|venueProofs|milliseconds|headline|sections|literal|integer|refuse|orNull|someHex|longHex|holdings|variable|equation)$/;
const here = (name) => new URL(name, import.meta.url);

function leaveOutHashToCurve(bundler) {
  bundler.onResolve({ filter: /\/hash-to-curve\.js$/ }, () => ({
    path: fileURLToPath(here("page/no-hash-to-curve.js")),
  }));
}

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(here("src/page.ts"))],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  mangleProps: SHORTENED,
  plugins: [{ name: "no hash to curve", setup: leaveOutHashToCurve }],
  write: false,
  absWorkingDir: fileURLToPath(here(".")),
});
const script = outputFiles[0].text.trim();
if (/<\/script/i.test(script)) throw new Error("the bundle would end its own script element");
const style = readFileSync(here("page/style.css"), "utf8").trim().replace(/\s*\n\s*/g, "");
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
const parts = { policy, style, script };
const page = readFileSync(here("page/template.html"), "utf8").replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
const size = Buffer.byteLength(page);
if (size > LARGEST) throw new Error(`the page has ${size} bytes; at most ${LARGEST} are shipped`);

if (process.argv[2] === "--check") {
  if (readFileSync(PAGE, "utf8") !== page) {
    console.error("verifier/service/page/verify.html is not what `npm run build` makes");
    process.exitCode = 1;
  }
} else {
  writeFileSync(PAGE, page);
  console.log(`verify.html: ${size} bytes`);
}
