/** The buttons of a Markdown field mark what is selected, and take the marks away again. */
import { expect, it } from "vitest";
import { marked } from "./markup";

it("marks a word, and unmarks it", () => {
  const bold = marked({ text: "a word here", from: 2, to: 6 }, "bold");
  expect(bold).toEqual({ text: "a **word** here", from: 4, to: 8 });
  expect(marked(bold, "bold")).toEqual({ text: "a word here", from: 2, to: 6 });
});

it("marks whole lines, and unmarks them", () => {
  const list = marked({ text: "one\ntwo\nthree", from: 1, to: 5 }, "numbers");
  expect(list.text).toBe("1. one\n2. two\nthree");
  expect(marked(list, "numbers").text).toBe("one\ntwo\nthree");
});

it("makes links of words and of addresses", () => {
  expect(marked({ text: "see here", from: 4, to: 8 }, "link")).toEqual({ text: "see [here](https://)", from: 11, to: 19 });
  expect(marked({ text: "https://x.example", from: 0, to: 17 }, "link")).toEqual({ text: "[](https://x.example)", from: 1, to: 1 });
});
