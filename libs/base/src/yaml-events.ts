import { type Event, parseEvents, YAMLException } from 'js-yaml';

/** Inserted where the parser asks for indentation, again where it was not enough. */
const INDENTATION = ' '.repeat(32);
/** Deeper than any real nesting. */
const MAX_REPEATS = 8;
/** Characters that may be parsed again for repairs: bounds the time to a second or two. */
const BUDGET = 24 * 1024 * 1024;

/**
 * Parser events, and the text that their offsets point into. Continuation lines of quoted scalars and of flow
 * collections may be indented as little as their parent (`args: [`, …, `]`): go-yaml takes that and people write it,
 * js-yaml follows the specification and refuses. White space at those places means nothing, so it is added.
 * Throws YAMLException.
 */
export function readEvents(text: string, maxDepth: number): { text: string; events: Event[] } {
  try {
    return { text, events: parseEvents(text, { maxDepth }) };
  } catch (thrown) {
    if (!isIndentation(thrown)) throw thrown;
  }
  const budget = { left: BUDGET };
  // One document at a time, for short texts to parse again. The number of lines stays the same.
  const repaired = text
    .split(/^(?=---(?:\s|$))/m)
    .map((document) => indent(document, maxDepth, budget))
    .join('');
  return { text: repaired, events: parseEvents(repaired, { maxDepth }) };
}

function isIndentation(thrown: unknown): thrown is YAMLException & { mark: { line: number } } {
  return (
    thrown instanceof YAMLException && thrown.reason === 'deficient indentation' && thrown.mark !== undefined
  );
}

/** Indents what the parser complains of, one region after the other; stops at any other complaint. */
function indent(document: string, maxDepth: number, budget: { left: number }): string {
  const lines = document.split('\n');
  let last = -1;
  let repeats = 0;
  while (budget.left > 0) {
    const complaint = complaintOf(lines.join('\n'), maxDepth);
    if (!isIndentation(complaint)) break;
    const { line, position } = complaint.mark;
    repeats = line === last ? repeats + 1 : 0;
    if (repeats > MAX_REPEATS) break;
    last = line;
    const end = regionEnd(lines, line, maxDepth);
    for (let i = line; i <= end; i++) lines[i] = INDENTATION + lines[i];
    // Two parses up to the complaint, and copies of the whole.
    budget.left -= 2 * (position + document.length);
  }
  return lines.join('\n');
}

function complaintOf(text: string, maxDepth: number): unknown {
  try {
    parseEvents(text, { maxDepth });
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

/** The last line of the quoted scalar or flow collection that goes on in a line: what a parser of the lines before misses. */
function regionEnd(lines: string[], start: number, maxDepth: number): number {
  const missing = complaintOf(lines.slice(0, start).join('\n'), maxDepth);
  const reason = missing instanceof YAMLException ? missing.reason : '';
  let quote = reason.includes('double quoted') ? '"' : reason.includes('single quoted') ? "'" : '';
  const onlyScalar = quote !== '';
  let depth = 1;
  for (let i = start; i < lines.length; i++) {
    const line = lines[i]!;
    for (let j = 0; j < line.length; j++) {
      const c = line[j]!;
      if (quote) {
        if (c === '\\' && quote === '"') j++;
        else if (c === quote && quote === "'" && line[j + 1] === "'") j++;
        else if (c === quote) {
          if (onlyScalar) return i;
          quote = '';
        }
      } else if (c === '#' && (j === 0 || /\s/.test(line[j - 1]!))) break;
      // A quote inside a plain scalar (`it's`) opens nothing.
      else if ((c === '"' || c === "'") && (j === 0 || /[\s[{,:]/.test(line[j - 1]!))) quote = c;
      else if (c === '[' || c === '{') depth++;
      else if ((c === ']' || c === '}') && --depth === 0) return i;
    }
  }
  return start;
}
