import type { ApplicationView } from '@muster/api';
import { age, type Column, paintState, table } from './output.ts';

type Operation = NonNullable<ApplicationView['operation']>;

/** `Running, PreSync wave 0, since 12s, 2 retries, waiting for …`. */
export function operationText(operation: NonNullable<ApplicationView['operation']>, now: number): string {
  const { phase, message, startedAt, finishedAt, retries, step, wave } = operation;
  const when = finishedAt ? `${age(finishedAt, now)} ago` : startedAt ? `since ${age(startedAt, now)}` : '';
  const where = step && phase === 'Running' ? `${step} wave ${wave ?? 0}` : '';
  return [phase, where, when, retries > 0 ? `${retries} retries` : '', message].filter(Boolean).join(', ');
}

/** A block of how far an operation is: what it waits for, its hooks, its next try. '' where there is nothing to say. */
export function progressText(
  operation: Operation,
  { now, colour }: { now: number; colour: boolean },
): string {
  const { waitsFor = [], waitsForTotal = waitsFor.length, hooks = [] } = operation;
  const parts: string[] = [];
  if (waitsFor.length > 0) {
    const more = waitsForTotal - waitsFor.length;
    parts.push(
      `Waits for:\n${table(waitsFor, WAITED_COLUMNS, colour)}${more > 0 ? `\nand ${more} more` : ''}`,
    );
  }
  if (hooks.length > 0) parts.push(`Hooks:\n${table(hooks, HOOK_COLUMNS, colour)}`);
  const next = nextTryText(operation, now);
  if (next) parts.push(`Next try: ${next}`);
  return parts.join('\n\n');
}

const WAITED_COLUMNS: Column<NonNullable<Operation['waitsFor']>[number]>[] = [
  { title: 'KIND', value: ({ group, kind }) => (group ? `${kind}.${group}` : kind) },
  { title: 'NAMESPACE', value: ({ namespace }) => namespace },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'HEALTH', value: ({ health }) => health, paint: paintState },
  { title: 'MESSAGE', value: ({ message }) => message },
];

const HOOK_COLUMNS: Column<NonNullable<Operation['hooks']>[number]>[] = [
  { title: 'HOOK', value: ({ step }) => step },
  { title: 'KIND', value: ({ group, kind }) => (group ? `${kind}.${group}` : kind) },
  { title: 'NAMESPACE', value: ({ namespace }) => namespace },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'STATUS', value: ({ status }) => status, paint: paintState },
  { title: 'MESSAGE', value: ({ message }) => message },
];

function nextTryText({ nextTry }: Operation, now: number): string {
  if (!nextTry) return '';
  const { attempt, limit, at } = nextTry;
  const of = limit === undefined ? '' : ` of ${limit}`;
  const left = at ? Date.parse(at) - now : 0;
  const when = left > 0 ? `in ${age(new Date(now - left).toISOString(), now)}` : 'now';
  return `retry ${attempt}${of}, ${when}`;
}

/** One line of how far an operation is, for progress lines: `PreSync, wave 0: Job.batch shop/migrate (Progressing)`. */
export function progressLine({ step, wave, waitsFor = [], waitsForTotal = 0, message }: Operation): string {
  const where = step ? `${step}${wave === undefined ? '' : `, wave ${wave}`}` : '';
  const [first] = waitsFor;
  if (!first) return [where, step ? '' : message].filter(Boolean).join(': ');
  const state = [first.health, first.message].filter(Boolean).join(': ');
  const more = waitsForTotal > 1 ? ` and ${waitsForTotal - 1} more` : '';
  return `${where ? `${where}: ` : ''}${nameOf(first)}${state ? ` (${state})` : ''}${more}`;
}

function nameOf({ group, kind, namespace, name }: NonNullable<Operation['waitsFor']>[number]): string {
  return `${group ? `${kind}.${group}` : kind} ${namespace ? `${namespace}/` : ''}${name}`;
}
