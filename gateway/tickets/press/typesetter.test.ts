import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import PDFDocument from "pdfkit";
import { drawnLines } from "../../../tests/support/pdf-reader.ts";
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
    drawn("Abend: שלום 2026")[0]
      ?.map((piece) => piece.trim())
      .filter((piece) => piece !== ""),
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

/** The lines of a real PDF as they are seen: their signs from left to right. */
async function seen(text: string, width = 500, linesMax = 5): Promise<string[]> {
  const pdf = new PDFDocument({ margin: 0, font: "" });
  const written = buffer(pdf);
  new Typesetter(pdf, faces).write(text, STYLE, { x: 0, y: 0, width, linesMax });
  pdf.end();
  const lines: string[] = [];
  for (const glyphs of await drawnLines(await written)) {
    // Accents and dots have no width. Blanks are signs, too: words neither join nor overlap.
    const signs = glyphs.filter((glyph) => glyph.width > 0);
    let end = 0;
    for (const sign of signs) {
      assert.ok(Math.abs(sign.x - end) < 1, `${sign.text} stands at ${sign.x}, not at ${end}`);
      end = sign.x + sign.width;
    }
    lines.push(signs.map((sign) => sign.text).join(""));
  }
  return lines;
}

/** As it is seen, if all of it is read from the right. */
const fromRight = (text: string): string => Array.from(text).reverse().join("");

test("words that are read from the right follow each other from the right", async () => {
  for (const text of [
    "רחבה ראשית",
    "היכל התרבות תל אביב",
    "دار مصر",
    "قاعة المسرح الكبير",
    // Nobody but Unifont has it, in which fontkit turns nothing.
    "ܫܠܡܐ ܥܠܡܐ",
  ]) {
    assert.deepEqual(await seen(text), [fromRight(text)]);
  }
});

test("Arabic and Persian digits stand as numbers do, the first one left", async () => {
  assert.deepEqual(await seen("٢٠٣٠"), ["٢٠٣٠"]);
  assert.deepEqual(await seen("قاعة ١٢ صف ٢٠٣٠"), [
    ["٢٠٣٠", fromRight("صف"), "١٢", fromRight("قاعة")].join(" "),
  ]);
  // Those Persian digits that don't share their glyphs with Arabic ones.
  assert.deepEqual(await seen("۴۵ مهر ۶۵۴"), [["۶۵۴", fromRight("مهر"), "۴۵"].join(" ")]);
  assert.deepEqual(await seen("Hall ۴۵, row ۶۵۴ – ۵۶"), ["Hall ۴۵, row ۶۵۴ – ۵۶"]);
  assert.deepEqual(await seen("صف ٣:٤٥"), [["٣:٤٥", fromRight("صف")].join(" ")]);
  assert.deepEqual(await seen("Hall ١٢ row ٢٠٣٠"), ["Hall ١٢ row ٢٠٣٠"]);
});

test("scripts of both directions in one line, with numbers and brackets", async () => {
  const house = fromRight("היכל התרבות");
  const hall = fromRight("אולם");
  assert.deepEqual(await seen("Live: היכל התרבות (אולם 12) – 2026!"), [
    `Live: 2026 – (12 ${hall}) ${house}!`,
  ]);
  assert.deepEqual(await seen("היכל התרבות (אולם 12, Row A) – 2026!"), [
    `!2026 – (Row A ,12 ${hall}) ${house}`,
  ]);
  assert.deepEqual(await seen("Jazz בערב (מופע שני) at 20:30"), [
    `Jazz (${fromRight("מופע שני")}) ${fromRight("בערב")} at 20:30`,
  ]);
  assert.deepEqual(await seen("[אב] «גד» 1 < 2"), [
    ["2 > 1", `«${fromRight("גד")}»`, `[${fromRight("אב")}]`].join(" "),
  ]);
});

test("all lines of a paragraph have its direction", async () => {
  assert.deepEqual(await seen("מופע חדש של Rock בערב (12)", 70), [
    fromRight("מופע חדש של"),
    `(12) ${fromRight("בערב")} Rock`,
  ]);
  // A bracket that is closed on another line, and what is left out at the end.
  assert.deepEqual(await seen("Jazz (שלום עולם) 12 בערב", 65), [
    `Jazz (${fromRight("שלום")}`,
    `${fromRight("עולם")}) ${fromRight("בערב")} 12`,
  ]);
  assert.deepEqual(await seen("مهرجان Rock 12 – الدولي", 45, 2), [fromRight("مهرجان"), "…Rock 12"]);
});
