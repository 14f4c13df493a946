// Opens the page in headless Chromium and does what a person would: gives files, reads the report.
//
//     node test/page.mjs URL CHROMIUM < steps.json
//
// `steps` is a list of lists of paths; for each the page is opened anew, the files are given, and what it shows is
// printed: [{verdict, headline, text, problems}], beside what the browser said about itself.

import { readFileSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [url, executablePath] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(0, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "zkmargin-page-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const results = [];
  for (const files of steps) {
    const page = await browser.newPage();
    const problems = [];
    const requests = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url);
    await page.locator("#drop[data-ready=yes]").waitFor();
    const loaded = await page.evaluate(() => performance.getEntriesByType("navigation")[0].domInteractive);
    await page.getByLabel("Drop files here, or choose them").setInputFiles(files);
    const verdict = page.locator(".verdict");
    await verdict.waitFor();
    results.push({
      verdict: (await verdict.getAttribute("class")).replace("verdict ", ""),
      headline: await verdict.innerText(),
      text: await page.locator("#report").innerText(),
      given: await page.locator("#files li").count(),
      problems,
      requests,
      loaded,
    });
    await page.getByRole("button", { name: "Start again" }).click();
    await verdict.waitFor({ state: "detached" });
    await page.close();
  }
  process.stdout.write(`${JSON.stringify(results)}\n`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
