/** Script that people fetch: a build prints it, and fails where a page is over its limit. */
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

interface Load {
  name: string;
  /** Files of `web/` that begin a chunk: the entry, and what is fetched on demand; what they import comes with them. */
  files: string[];
  /** kB (1000 bytes), gzip as the process packs it. */
  limit: number;
}

const LANGUAGE = ["src/lib/i18n/de/index.ts"]; // German is the longer one
const SIGN_IN = ["src/features/auth/SignInPage.tsx", ...LANGUAGE];
const TENANT = ["app.html", ...SIGN_IN, "src/components/routed.tsx", "src/app/routes.tsx"];
const CONSOLE = ["admin.html", ...SIGN_IN, "src/components/routed.tsx", "src/console/routes.tsx"];
const CHARTS = ["src/components/charts/Chart.tsx", "src/components/charts/Lines.tsx"];
const LOADS: Load[] = [
  { name: "tenant, sign-in", files: ["app.html", ...SIGN_IN], limit: 250 },
  { name: "tenant, first page: a dashboard", files: [...TENANT, "src/features/home/HomePage.tsx", ...CHARTS], limit: 500 },
  { name: "tenant, first page: a table", files: [...TENANT, "src/features/data/DataPage.tsx"], limit: 500 },
  { name: "console, sign-in", files: ["admin.html", ...SIGN_IN], limit: 250 },
  { name: "console, first page", files: [...CONSOLE, "src/console/overview/OverviewPage.tsx"], limit: 500 },
];

export function sizes(): Plugin {
  return {
    name: "sizes",
    apply: "build",
    writeBundle(_, bundle) {
      const over: string[] = [];
      for (const { name, files, limit } of LOADS) {
        const fetched = together(bundle, files.map((file) => chunkOf(bundle, file)));
        const size = [...fetched].reduce((sum, { code }) => sum + gzipSync(code, { level: 7 }).length, 0) / 1000;
        const line = `${name}: ${size.toFixed(0)} kB of script in ${fetched.size} files, ${limit} kB at most`;
        console.log(line);
        if (size > limit) over.push(line);
      }
      if (over.length > 0) this.error(`pages fetch too much script:\n${over.join("\n")}`);
    },
  };
}

function chunkOf(bundle: Rolldown.OutputBundle, file: string): Rolldown.OutputChunk {
  const found = Object.values(bundle).find((output) => output.type === "chunk" && output.facadeModuleId?.endsWith(`/web/${file}`));
  if (found?.type !== "chunk") throw new Error(`sizes.ts: no chunk begins with ${file}`);
  return found;
}

/** Chunks with all they import, which a browser fetches before the first line runs. */
function together(bundle: Rolldown.OutputBundle, chunks: Rolldown.OutputChunk[], found = new Set<Rolldown.OutputChunk>()) {
  for (const chunk of chunks) {
    if (found.has(chunk)) continue;
    found.add(chunk);
    const imported = chunk.imports.map((name) => bundle[name]).filter((output) => output?.type === "chunk");
    together(bundle, imported, found);
  }
  return found;
}
