import type { WhyKind, WhyLink } from '@muster/api';

/** What a link says besides its sentence. */
export interface LinkDetails {
  since?: Date | number | string | null | undefined;
  until?: Date | number | string | null | undefined;
  ends?: string | undefined;
  command?: string | undefined;
  who?: string | undefined;
}

const MAX_TEXT = 600;

/** One link; what has no value is left out. */
export function link(kind: WhyKind, text: string, details: LinkDetails = {}): WhyLink {
  const { since, until, ends, command, who } = details;
  return {
    kind,
    text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text,
    ...time('since', since),
    ...time('until', until),
    ...(ends === undefined ? {} : { ends }),
    ...(command === undefined ? {} : { command }),
    ...(who === undefined ? {} : { who }),
  };
}

function time<K extends 'since' | 'until'>(key: K, value: LinkDetails['since']): { [P in K]?: string } {
  if (value === null || value === undefined || value === '') return {};
  const date = new Date(value);
  return (Number.isNaN(date.getTime()) ? {} : { [key]: date.toISOString() }) as { [P in K]?: string };
}

/** A reason to type, where a command takes one. */
export const REASON = '--reason "…"';

export function operatorOf(project: string): string {
  return `an operator of project ${project}`;
}
