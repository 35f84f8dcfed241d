// Reads {chrome, runs, pages: [{name, url, cookies: {name: value}}]} from standard input. Writes one line of JSON for
// each page: the scores of every run, and the audits and metrics of the run in the middle.
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { text } from "node:stream/consumers";
import puppeteer from "puppeteer-core";

const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const METRICS = ["first-contentful-paint", "largest-contentful-paint", "speed-index", "total-blocking-time", "cumulative-layout-shift", "server-response-time", "total-byte-weight"];

const { chrome, runs, pages } = JSON.parse(await text(process.stdin));
const browser = await launch({
  chromePath: chrome,
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const controller = await puppeteer.connect({ browserURL: `http://127.0.0.1:${browser.port}` });
try {
  for (const page of pages) {
    await signIn(page);
    const results = [];
    for (let run = 0; run < runs; run += 1) {
      const result = await measured(page);
      if (result) results.push(result);
    }
    if (!results.length) continue;
    results.sort((one, other) => one.scores.performance - other.scores.performance);
    const middle = results[Math.floor(results.length / 2)];
    process.stdout.write(`${JSON.stringify({ name: page.name, ...middle, runs: results.map((result) => result.scores) })}\n`);
  }
} finally {
  browser.kill();
}

// Lighthouse clears the cache before each run, but keeps cookies. It cannot send them by a header.
async function signIn({ url, cookies }) {
  const tab = await controller.newPage();
  await tab.deleteCookie(...(await tab.cookies(url)));
  await tab.setCookie(...Object.entries(cookies).map(([name, value]) => ({ name, value, url })));
  await tab.close();
}

async function measured(page, attempts = 5) {
  const { lhr } = await lighthouse(page.url, {
    port: browser.port,
    onlyCategories: CATEGORIES,
    throttlingMethod: "simulate",
    logLevel: "error",
  });
  if (lhr.runtimeError && attempts > 1) {
    return measured(page, attempts - 1); // on a busy machine a trace may be incomplete
  }
  if (lhr.runtimeError) {
    console.error(`${page.name} was not measured: ${lhr.runtimeError.message}`);
    return null;
  }
  if (new URL(lhr.finalDisplayedUrl).pathname !== new URL(page.url).pathname) {
    throw new Error(`${page.name}: ${page.url} redirects to ${lhr.finalDisplayedUrl}`);
  }
  return {
    url: lhr.finalDisplayedUrl,
    scores: Object.fromEntries(CATEGORIES.map((id) => [id, Math.round(100 * lhr.categories[id].score)])),
    metrics: Object.fromEntries(METRICS.map((id) => [id, Math.round(1000 * (lhr.audits[id].numericValue ?? 0)) / 1000])),
    failed: CATEGORIES.flatMap((id) => failed(lhr, id)),
  };
}

function failed(lhr, category) {
  return lhr.categories[category].auditRefs
    .map((reference) => ({ reference, audit: lhr.audits[reference.id] }))
    .filter(({ reference, audit }) => audit.score !== null && audit.score < 0.9 && (reference.weight > 0 || category === "performance"))
    .map(({ audit }) => ({
      category,
      id: audit.id,
      score: audit.score,
      title: audit.title,
      value: audit.displayValue ?? "",
      at: (audit.details?.items ?? []).slice(0, 5).map((item) => item.node?.snippet ?? item.url ?? item.description ?? item.label ?? ""),
    }));
}
