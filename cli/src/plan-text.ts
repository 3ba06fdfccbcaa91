import type { PlanError, PlanGroup, PlanObject, PlanResult, PlannedApplication } from '@muster/api';
import { type Paint, paint } from './output.ts';
import { SIGNS, groupTitle, memberOf, objectTitle, removalTitle, summaryOf } from './plan-words.ts';

export interface PlanTextOptions {
  colour: boolean;
  /** Everything of objects that come or go, not only their names. */
  full: boolean;
  /** Name every Application and its cluster. */
  members: boolean;
}

const FIRST_MEMBERS = 3;

/** A plan for people: groups, removals, errors, and at the end what it comes to. */
export function planText(plan: PlanResult, options: PlanTextOptions): string {
  const blocks = [
    ...plan.groups.map((group) => groupText(group, options)),
    ...(plan.moreGroups > 0 ? [`… and ${plan.moreGroups} more groups: --full shows them`] : []),
    ...plan.removals.map((one) =>
      [
        painted(options, 'red', `- ${removalTitle(one)}`),
        ...membersText(one.members, one.more, options),
      ].join('\n'),
    ),
    ...plan.errors.map((one) => errorText(one, options)),
    ...(plan.moreErrors > 0 ? [`… and ${plan.moreErrors} more errors`] : []),
    ...plan.notices.map((notice) => `note: ${notice}`),
    `Plan: ${summaryOf(plan)}.`,
  ];
  return withoutControl(blocks.join('\n\n'), options.colour);
}

function groupText(group: PlanGroup, options: PlanTextOptions): string {
  const { change, alike, objects, omitted, members, more } = group;
  const lines = [
    painted(options, change === 'added' ? 'green' : 'yellow', `${SIGNS[change]} ${groupTitle(group)}`),
    ...membersText(members, more, options),
  ];
  if (alike === 'but for names' && members[0])
    lines.push(`    the same but for their names; shown as for ${members[0].namespace}/${members[0].name}`);
  if (omitted) lines.push('    (too large to be shown)');
  const shown = objects.filter((one) => !(one.specification && one.action === 'added' && !options.full));
  for (const one of shown) lines.push(...objectText(one, options));
  return lines.join('\n');
}

function objectText(object: PlanObject, options: PlanTextOptions): string[] {
  const { action, added, removed, text, moreLines } = object;
  const colour = { added: 'green', changed: 'yellow', removed: 'red' } as const;
  const title = painted(options, colour[action], `  ${SIGNS[action]} ${objectTitle(object)}`);
  if (action !== 'changed' && !options.full) return [`${title} (${added + removed} lines)`];
  const lines = text.split('\n').map((line) => `    ${paintLine(line, options)}`);
  return [title, ...lines, ...(moreLines > 0 ? [`    … and ${moreLines} more lines`] : [])];
}

function paintLine(line: string, options: PlanTextOptions): string {
  if (line.startsWith('+')) return painted(options, 'green', line);
  if (line.startsWith('-')) return painted(options, 'red', line);
  return line === '@@' ? painted(options, 'grey', line) : line;
}

function membersText(
  members: readonly PlannedApplication[],
  more: number,
  options: PlanTextOptions,
): string[] {
  if (options.members) {
    const all = members.map((one) => `    ${memberOf(one)}`);
    return more > 0 ? [...all, `    … and ${more} more`] : all;
  }
  const first = members.slice(0, FIRST_MEMBERS).map(memberOf);
  const rest = more + members.length - first.length;
  return first.length === 0 ? [] : [`    ${first.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`];
}

function errorText(error: PlanError, options: PlanTextOptions): string {
  const { severity, already, type, message, object, members, more, applications } = error;
  const whose = applications > 1 ? `${applications} Applications` : object;
  const title = `${severity === 'error' ? '!' : '?'} ${whose}: ${type}: ${message}${already ? ' (as it is now)' : ''}`;
  const colour = severity === 'error' ? 'red' : 'yellow';
  return [
    painted(options, colour, title),
    ...(applications > 1 ? membersText(members, more, options) : []),
  ].join('\n');
}

function painted({ colour }: PlanTextOptions, name: Parameters<typeof paint>[0], text: string): string {
  const painter: Paint = paint(name);
  return colour ? painter(withoutControl(text, false)) : text;
}

/** Text from manifests must not steer the terminal. */
function withoutControl(text: string, colour: boolean): string {
  // oxlint-disable-next-line no-control-regex
  const steering = colour
    ? /(?!\u001b\[\d+m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
    : /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
  return text.replace(steering, '·');
}
