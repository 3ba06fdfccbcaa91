import { MusterError } from '@muster/base';
import { type Document, type Scalar, isMap, isScalar, isSeq, parseAllDocuments, stringify } from 'yaml';

/** One step of a field's path: a member, an entry by its place, or the entry that has a member of this value. */
type Step = string | number | { key: string; value: string };

const PART = /([^.[\]]+)|\[(\d+)\]|\["([^"\]]+)"\]|\[([\w.-]+)=([^\]]+)\]|(\.)/y;

/** Reads `spec.containers[name=web].image`, `images[0].newTag`, `metadata.labels["a.b/c"]`. Throws `invalid`. */
export function parseFieldPath(text: string): Step[] {
  const steps: Step[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const found = PART.exec(text);
    if (!found)
      throw new MusterError('invalid', `"${text}" is no path of a field`, {
        hint: 'image.tag, images[0].newTag, containers[name=web].image',
      });
    const [, member, place, quoted, key, value] = found;
    if (member !== undefined || quoted !== undefined) steps.push((member ?? quoted)!);
    else if (place !== undefined) steps.push(Number(place));
    else if (key !== undefined) steps.push({ key, value: value! });
  }
  if (steps.length === 0) throw new MusterError('invalid', 'the path of a field is empty');
  return steps;
}

/** The value of a field in the first document that has it; undefined: none has. Throws `invalid` for what is no YAML. */
export function fieldOf(text: string, path: string, where: string): unknown {
  for (const document of documentsOf(text, where)) {
    const place = placeOf(document, parseFieldPath(path));
    if (place && document.hasIn(place)) return valueAt(document, place);
  }
  return undefined;
}

/**
 * The text with the field set, in the first document that has it, else in the first one. Where a plain value takes the place of
 * another, nothing else of the text changes.
 */
export function withField(text: string, path: string, value: unknown, where: string): string {
  const documents = documentsOf(text, where);
  const steps = parseFieldPath(path);
  const has = documents.findIndex((document) => {
    const place = placeOf(document, steps);
    return place !== undefined && document.hasIn(place);
  });
  const document = documents[Math.max(0, has)]!;
  const place = placeOf(document, steps);
  if (!place) throw new MusterError('invalid', `${where} has no entry for ${path}`);
  const node = has < 0 ? undefined : document.getIn(place, true);
  const written = isScalar(node) ? scalarText(node, value) : undefined;
  if (isScalar(node) && node.range && written !== undefined) {
    const [start, end] = node.range;
    return `${text.slice(0, start)}${written}${text.slice(end)}`;
  }
  document.setIn(place, value);
  return documents.map((one) => one.toString({ lineWidth: 0 })).join('');
}

function documentsOf(text: string, where: string): Document[] {
  const found = parseAllDocuments(text, { prettyErrors: false });
  const documents = Array.isArray(found) ? (found as Document[]) : [];
  const broken = documents.find(({ errors }) => errors.length > 0);
  if (broken)
    throw new MusterError('invalid', `${where} is no YAML: ${broken.errors[0]!.message.split('\n')[0]}`);
  if (documents.length === 0) throw new MusterError('invalid', `${where} is empty`);
  return documents;
}

/** The members and places that lead to a field; undefined where an entry is asked for by a value that none has. */
function placeOf(document: Document, steps: readonly Step[]): (string | number)[] | undefined {
  const place: (string | number)[] = [];
  for (const step of steps) {
    if (typeof step !== 'object') {
      place.push(step);
      continue;
    }
    const list = document.getIn(place, true);
    if (!isSeq(list)) return undefined;
    const index = list.items.findIndex((item) => isMap(item) && String(item.get(step.key)) === step.value);
    if (index < 0) return undefined;
    place.push(index);
  }
  return place;
}

function valueAt(document: Document, place: readonly (string | number)[]): unknown {
  let value: unknown = document.toJS({ maxAliasCount: 100 });
  for (const step of place) value = (value as Record<string | number, unknown> | undefined)?.[step];
  return value;
}

/** A value in the way that the one before was written; undefined: it is no single line, or no plain value. */
function scalarText(node: Scalar, value: unknown): string | undefined {
  if (value !== null && typeof value === 'object') return undefined;
  const quotes = node.type;
  if (quotes === 'BLOCK_FOLDED' || quotes === 'BLOCK_LITERAL') return undefined;
  if (typeof value === 'string' && quotes === 'QUOTE_DOUBLE') return JSON.stringify(value);
  if (typeof value === 'string' && quotes === 'QUOTE_SINGLE' && !/[\n\r\t]/.test(value))
    return `'${value.replaceAll("'", "''")}'`;
  // Brackets and commas mean something where the list or map is written in one line.
  if (typeof value === 'string' && /[,[\]{}\n\r]/.test(value)) return JSON.stringify(value);
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
