import { type Event, parseEvents, YAMLException } from 'js-yaml';

/** Inserted where the parser asks for indentation, again where it was not enough. */
const INDENTATION = ' '.repeat(32);
/** Deeper than any real nesting. */
const MAX_REPEATS = 16;
/** Characters that may be parsed again for repairs; it bounds the time, some two seconds at worst. */
const BUDGET = 16 * 1024 * 1024;

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

/** Indents the lines that the parser complains of, one by one; stops at any other complaint. */
function indent(document: string, maxDepth: number, budget: { left: number }): string {
  const lines = document.split('\n');
  let last = -1;
  let repeats = 0;
  while (budget.left > 0) {
    try {
      parseEvents(lines.join('\n'), { maxDepth });
      break;
    } catch (thrown) {
      if (!isIndentation(thrown)) break;
      repeats = thrown.mark.line === last ? repeats + 1 : 0;
      if (repeats > MAX_REPEATS) break;
      last = thrown.mark.line;
      // Parsing goes up to the complaint; joining is cheap but goes over everything.
      budget.left -= thrown.mark.position + document.length / 8;
      lines[last] = INDENTATION + lines[last];
    }
  }
  return lines.join('\n');
}
