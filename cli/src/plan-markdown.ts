import type { PlanError, PlanGroup, PlanObject, PlanResult, PlannedApplication } from '@muster/api';
import { diffBlock, html, inline } from '@muster/api/markdown';
import { SIGNS, count, groupTitle, memberOf, objectTitle, removalTitle, summaryOf } from './plan-words.ts';

/** GitHub takes no longer comment. */
export const MAX_MARKDOWN = 65_536;
const MAX_LISTED = 20;

/** The first line of a plan's comment, by which it is found again. */
export function markerOf(id: string): string {
  return `<!-- muster-plan: ${id.replace(/[^\w.-]/g, '-')} -->`;
}

/**
 * A plan for the comment of a pull request, of at most `limit` characters: first what matters most, then the groups
 * that fit, folded; what does not fit is counted.
 */
export function planMarkdown(plan: PlanResult, id: string, limit = MAX_MARKDOWN): string {
  const { summary } = plan;
  const icon =
    summary.errors > 0 ? '❌' : summary.added + summary.changed + summary.removed > 0 ? '📝' : '✅';
  const parts = [
    markerOf(id),
    `### ${icon} Muster plan: ${summaryOf(plan)}`,
    ...(plan.errors.length > 0 ? [errorsOf(plan)] : []),
    ...(plan.removals.length > 0
      ? [
          listed(
            plan.removals.map(
              (one) => `- ${inline(removalTitle(one))}${folded('Applications', one.members, one.more)}`,
            ),
            'removals',
          ),
        ]
      : []),
    ...(plan.notices.length > 0
      ? [
          listed(
            plan.notices.map((one) => `> ${inline(one)}`),
            'notes',
          ),
        ]
      : []),
  ];
  let length = parts.join('\n\n').length;
  // Room for the line that counts what is left out.
  const room = limit - 200;
  let left = plan.moreGroups;
  for (const group of plan.groups) {
    const text = [groupOf(group), briefly(group)].find((one) => length + one.length + 2 <= room);
    if (text === undefined) left++;
    else {
      parts.push(text);
      length += text.length + 2;
    }
  }
  if (left > 0) parts.push(`… and ${count(left, 'more group')}: \`muster plan --full\` shows everything.`);
  const text = parts.join('\n\n');
  return text.length <= limit ? text : `${text.slice(0, limit - 20)}\n\n… cut off`;
}

function groupOf(group: PlanGroup): string {
  const { members, more, alike, omitted, objects } = group;
  const first = members[0];
  const lines = [`<details><summary>${SIGNS[group.change]} ${html(groupTitle(group))}</summary>\n`];
  if (alike === 'but for names' && first)
    lines.push(`The same but for their names; shown as for \`${first.namespace}/${first.name}\`.\n`);
  if (omitted) lines.push('_The changes are too large to be shown._\n');
  for (const one of objects) lines.push(objectOf(one));
  lines.push(`${folded('Applications', members, more).trim()}\n`, '</details>');
  return lines.join('\n');
}

function briefly(group: PlanGroup): string {
  return `- ${SIGNS[group.change]} ${inline(groupTitle(group))} (too large for this comment)`;
}

function objectOf(object: PlanObject): string {
  return `**${SIGNS[object.action]} ${inline(objectTitle(object))}**\n\n${diffBlock(object)}\n`;
}

function errorsOf({ errors, moreErrors }: PlanResult): string {
  const lines = errors.map((one: PlanError) => {
    const { severity, already, type, message, object, applications, members, more } = one;
    const whose = applications > 1 ? count(applications, 'Application') : object;
    const now = already ? ' (as it is now)' : '';
    const icon = severity === 'error' ? '❌' : '⚠️';
    const who = applications > 1 ? folded('Applications', members, more) : '';
    return `- ${icon} **${inline(whose)}**: ${inline(type)}: ${inline(message)}${now}${who}`;
  });
  return listed(lines, 'errors', moreErrors);
}

function listed(lines: readonly string[], what: string, more = 0): string {
  const rest = more + Math.max(0, lines.length - MAX_LISTED);
  return [...lines.slice(0, MAX_LISTED), ...(rest > 0 ? [`- … and ${rest} more ${what}`] : [])].join('\n');
}

function folded(title: string, members: readonly PlannedApplication[], more: number): string {
  if (members.length === 0) return '';
  const names = members.slice(0, MAX_LISTED).map((one) => html(memberOf(one)));
  const rest = more + members.length - names.length;
  return ` <details><summary>${title}</summary>${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}</details>`;
}
