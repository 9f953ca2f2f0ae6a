import assert from "node:assert/strict";
import { test } from "node:test";
import PDFDocument from "pdfkit";
import { Faces } from "./faces.ts";
import { type TextStyle, Typesetter } from "./typesetter.ts";

const faces = { regular: new Faces("regular"), bold: new Faces("bold") };
const STYLE: TextStyle = { size: 10, weight: "regular", color: "#000000" };

/** What is drawn, piece by piece from left to right, line by line. */
function drawn(text: string, width = 500, linesMax = 3): string[][] {
  const pdf = new PDFDocument({ margin: 0 });
  const lines = new Map<number, { x: number; text: string }[]>();
  pdf.text = (piece: string, x?: unknown, y?: unknown) => {
    const line = lines.get(Number(y)) ?? [];
    line.push({ x: Number(x), text: piece });
    lines.set(Number(y), line);
    return pdf;
  };
  new Typesetter(pdf, faces).write(text, STYLE, { x: 0, y: 0, width, linesMax });
  return [...lines.values()].map((line) => line.sort((a, b) => a.x - b.x).map((one) => one.text));
}

test("a text in one script is one piece", () => {
  assert.deepEqual(drawn("Grand Hall, row 3"), [["Grand Hall, row 3"]]);
});

test("what is read from the right stands in its own order", () => {
  // Numbers stand behind what they follow: to the left of it. A bracket opens to where it is read.
  assert.deepEqual(
    drawn("Abend: שלום 2026")[0]?.map((piece) => piece.trim()),
    ["Abend:", "2026", "שלום"],
  );
  const [line = []] = drawn("(שלום)");
  assert.equal(line.join("").replace("שלום", "…"), "(…)");
});

test("every font is asked for what it has, and what none has is a box", () => {
  assert.equal(drawn("Łódź 東京 ไทย")[0]?.join("").replaceAll("\u200b", ""), "Łódź 東京 ไทย");
  assert.equal(drawn("🎻")[0]?.join("").replaceAll("\u200b", ""), "□");
});

test("lines break between words, and in a word that is wider than a line", () => {
  assert.deepEqual(drawn("one two three", 45), [["one two"], ["three"]]);
  const broken = drawn("W".repeat(30), 100, 9).flat();
  assert.ok(broken.length > 1);
  assert.equal(broken.join(""), "W".repeat(30));
});

test("what does not fit ends in an ellipsis", () => {
  const [, second, ...more] = drawn("word ".repeat(40), 100, 2);
  assert.deepEqual(more, []);
  assert.match(second?.join("") ?? "", /^(word )+(w|wo|wor|word)?…$|…$/);
});

test("line ends and tabs are spaces: nothing is written outside of its box", () => {
  assert.deepEqual(drawn("a\tb\nc\u0000"), [["a b c"]]);
});
