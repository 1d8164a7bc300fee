import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { sizes } from "./sizes.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Two pages from one source tree; the process serves every other file of dist under /_ui/, for ever under the same name.
export default defineConfig({
  base: "/_ui/",
  plugins: [react(), sizes()],
  resolve: { alias: { "@": here("./src") } },
  build: {
    assetsDir: "",
    assetsInlineLimit: 0,
    cssTarget: ["chrome125", "firefox128", "safari18"],
    chunkSizeWarningLimit: 1000,
    emptyOutDir: true,
    reportCompressedSize: false,
    rolldownOptions: { input: { app: here("./app.html"), admin: here("./admin.html") } },
  },
});
