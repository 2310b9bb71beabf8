// Builds the editor of the SQL page into one file, with the licences of what is in it: npm ci && node build.mjs FOLDER

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
const sources = readdirSync(".").filter((name) => /\.(js|mjs|json)$/.test(name)).sort();
const hash = createHash("sha256");
for (const name of sources) hash.update(`${name}\n`).update(readFileSync(name));

mkdirSync(folder, { recursive: true });
const { metafile } = await build({
  entryPoints: ["index.js"],
  outfile: join(folder, "editor.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  banner: { js: `/* Built by make editor. Sources: sha256:${hash.digest("hex")}. Licences: LICENSES.txt. */` },
});

const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
);
const notices = [...packages].sort().map((name) => {
  const { version, license } = JSON.parse(readFileSync(join("node_modules", name, "package.json"), "utf8"));
  const text = readFileSync(join("node_modules", name, "LICENSE"), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync(join(folder, "LICENSES.txt"), notices.join(`\n${"-".repeat(80)}\n\n`));
