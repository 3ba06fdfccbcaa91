/** Where an arrow key leads from a cell of a grid: rows may be cells shorter, and some cells cannot be entered. */
export interface Place {
  row: number;
  column: number;
}

const STEPS: Record<string, Place> = {
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 },
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
};

/**
 * The next place in the direction of a key that `enterable` accepts; undefined when there is none, or for other keys.
 * `enterable` answers undefined beyond the edge.
 */
export function nextPlace(
  from: Place,
  key: string,
  enterable: (place: Place) => boolean | undefined,
): Place | undefined {
  const step = STEPS[key];
  if (!step) return undefined;
  for (let at = from; ; ) {
    at = { row: at.row + step.row, column: at.column + step.column };
    const found = enterable(at);
    if (found === undefined) return undefined;
    if (found) return at;
  }
}
