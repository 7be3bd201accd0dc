// Strokes of ink: how they are kept and drawn, and digits drawn beforehand.

/** A point of a stroke; the pad reaches from 0 to 1, the width is relative to the pad's. */
export interface Point {
  x: number;
  y: number;
  w: number;
}

export type Stroke = Point[];

/** The pen's width where nothing is known of the pressure. */
export const penWidth = 0.078;

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/**
 * Draws a stroke from its point number `from` on. Curves run from the middle of one segment to the middle of the next, so what
 * has been drawn stays right when points are added; `end` draws on to the last point.
 */
export function drawStroke(c: Context, stroke: Stroke, size: number, from: number, end: boolean): void {
  c.lineCap = c.lineJoin = "round";
  const at = (i: number) => stroke[Math.max(0, Math.min(i, stroke.length - 1))]!;
  if (stroke.length === 1 && from === 0) {
    const p = at(0);
    c.beginPath();
    c.arc(p.x * size, p.y * size, (p.w * size) / 2, 0, 2 * Math.PI);
    c.fill();
    return;
  }
  for (let i = Math.max(1, from); i < stroke.length + (end ? 1 : 0); i++) {
    const a = at(i - 2), b = at(i - 1), d = at(i);
    c.beginPath();
    c.lineWidth = b.w * size;
    c.moveTo(((a.x + b.x) / 2) * size, ((a.y + b.y) / 2) * size);
    const last = i === stroke.length;
    c.quadraticCurveTo(b.x * size, b.y * size, (last ? b.x : (b.x + d.x) / 2) * size, (last ? b.y : (b.y + d.y) / 2) * size);
    c.stroke();
  }
}

// Control points of digits, on a field of 100 by 100; curves run through them.
const shapes: readonly string[] = [
  "52 18 36 24 27 44 28 66 40 82 55 82 69 68 73 46 66 26 52 18",
  "38 32 52 18 52 18 51 50 50 84",
  "31 34 38 21 54 17 67 26 66 42 52 59 34 76 30 81 30 81 52 80 72 81",
  "31 25 45 17 62 20 67 33 59 45 46 48 46 48 61 51 70 64 64 78 47 84 30 77",
  "57 17 44 37 29 58 29 58 50 58 74 57;61 40 59 62 57 86",
  "67 19 39 20 39 20 36 45 36 45 52 42 66 50 69 65 60 80 44 84 30 76",
  "62 17 45 30 34 52 33 70 43 82 58 81 67 69 62 56 49 53 36 63",
  "29 21 50 20 71 20 71 20 59 43 49 64 43 85",
  "64 26 52 17 38 23 37 36 49 47 62 58 64 74 51 84 36 77 36 61 50 48 63 38 64 26",
  "64 32 52 20 38 25 34 40 44 50 58 46 65 32 65 32 64 58 58 85",
];

/** The strokes of a digit, as a hand might draw it. */
export function sample(digit: number): Stroke[] {
  return shapes[digit]!.split(";").map((text) => {
    const v = text.split(" ").map((t) => Number(t) / 100);
    const p = Array.from({ length: v.length / 2 }, (_, i) => ({ x: v[2 * i]!, y: v[2 * i + 1]! }));
    const stroke: Stroke = [];
    for (let i = 0; i < p.length - 1; i++) {
      const [a, b, c, d] = [p[Math.max(0, i - 1)]!, p[i]!, p[i + 1]!, p[Math.min(p.length - 1, i + 2)]!];
      if (b.x === c.x && b.y === c.y) continue; // a corner
      // A corner ends the curve: its neighbour beyond does not bend it.
      const before = a.x === b.x && a.y === b.y ? b : a;
      const after = c.x === d.x && c.y === d.y ? c : d;
      for (let k = 0; k < 6; k++) {
        const t = k / 6;
        const f = (u: number, v: number, w: number, z: number) =>
          0.5 * (2 * v + (w - u) * t + (2 * u - 5 * v + 4 * w - z) * t * t + (3 * v - u - 3 * w + z) * t * t * t);
        stroke.push({ x: f(before.x, b.x, c.x, after.x), y: f(before.y, b.y, c.y, after.y), w: penWidth });
      }
    }
    stroke.push({ ...p[p.length - 1]!, w: penWidth });
    return stroke;
  });
}
