export type LineKind = 'added' | 'removed' | 'gap' | 'same';

export interface DiffLine {
  kind: LineKind;
  text: string;
}

/** The lines of a unified diff as the hub writes it: hunks are apart by a line @@. */
export function diffLines(text: string): DiffLine[] {
  if (text === '') return [];
  return text.split('\n').map((line) => ({ kind: kindOf(line), text: line }));
}

function kindOf(line: string): LineKind {
  if (line === '@@') return 'gap';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : 'same';
}

/** So many lines of one object are shown before somebody asks for the others. */
export const FIRST_LINES = 300;
/** So many lines in all are open from the start: more are for who looks for one object. */
const OPEN_LINES = 200;

/** How many objects, from the first, are open from the start: at least one, while they are not too long. */
export function openAtFirst(objects: readonly { added: number; removed: number }[]): number {
  let lines = 0;
  let open = 0;
  for (const { added, removed } of objects) {
    lines += added + removed;
    if (open > 0 && lines > OPEN_LINES) break;
    open++;
  }
  return open;
}
