import { MusterError } from '@muster/base';

/** One requirement of a label selector, as `kubectl -l` reads it. */
export type Requirement =
  | { kind: 'in' | 'not-in'; key: string; values: string[] }
  | { kind: 'exists' | 'not-exists'; key: string };

const KEY = '[A-Za-z0-9][A-Za-z0-9._/-]*';
const EQUAL = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s+\\(([^()]*)\\)$`);
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);

/** `env=prod,region!=eu,tier in (a,b),!old`. Throws MusterError invalid naming the part that does not read. */
export function parseSelector(text: string): Requirement[] {
  return split(text).map(parseRequirement);
}

export function matchesSelector(requirements: Requirement[], labels: Record<string, string>): boolean {
  return requirements.every((each) => {
    const value = Object.hasOwn(labels, each.key) ? labels[each.key] : undefined;
    switch (each.kind) {
      case 'in':
        return value !== undefined && each.values.includes(value);
      case 'not-in':
        return value === undefined || !each.values.includes(value);
      case 'exists':
        return value !== undefined;
      case 'not-exists':
        return value === undefined;
    }
  });
}

function parseRequirement(part: string): Requirement {
  const equal = EQUAL.exec(part);
  if (equal) return { kind: equal[2] === '!=' ? 'not-in' : 'in', key: equal[1]!, values: [equal[3]!] };
  const set = SET.exec(part);
  if (set) {
    const values = set[3]!.split(',').map((value) => value.trim());
    return { kind: set[2] === 'in' ? 'in' : 'not-in', key: set[1]!, values };
  }
  const exists = EXISTS.exec(part);
  if (exists) return { kind: exists[1] ? 'not-exists' : 'exists', key: exists[2]! };
  throw new MusterError('invalid', `not a label selector: ${part || '(empty)'}`, {
    where: 'label',
    hint: 'for example env=prod,region!=eu,tier in (a,b),!old',
  });
}

/** At commas outside of parentheses. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const at = text[i];
    if (at === '(') depth++;
    if (at === ')') depth--;
    if (at !== undefined && (at !== ',' || depth > 0)) continue;
    parts.push(text.slice(from, i).trim());
    from = i + 1;
  }
  return parts;
}
