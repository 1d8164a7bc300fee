import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

export default defineConfig(
  { ignores: ["dist", "node_modules"] },
  js.configs.recommended,
  ts.configs.strict,
  hooks.configs.flat.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    rules: {
      "max-lines": ["error", 300],
      "no-restricted-properties": [
        "error",
        { object: "window", property: "localStorage", message: "lib/remember.ts keeps what a browser remembers; never tokens" },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "components/Markdown.tsx is the only place" },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "react-hooks/incompatible-library": "off",
    },
  },
  { files: ["src/components/Markdown.tsx"], rules: { "no-restricted-syntax": "off" } },
);
