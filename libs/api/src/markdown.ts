import { shortCommit } from './commits.ts';
import type { PlanObject } from './plan.ts';
import type { ReleaseDiff, ReleaseDiffGroup } from './releases.ts';

const MAX_MESSAGE = 600;
const SIGNS = { added: '+', changed: '~', removed: '-' } as const;

/** One line of text that is no markup and mentions nobody. */
export function inline(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return html(line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)} …` : line)
    .replace(/[\\`*_[\]#|~]/g, '\\$&')
    .replaceAll('@', '@\u200b');
}

export function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A unified diff in a fence longer than any that it holds. */
export function diffBlock({ text, moreLines }: Pick<PlanObject, 'text' | 'moreLines'>): string {
  const body = `${text}${moreLines > 0 ? `\n… and ${moreLines} more lines` : ''}`;
  const ticks = Math.max(2, ...[...body.matchAll(/`+/g)].map(([run]) => run.length)) + 1;
  const fence = '`'.repeat(ticks);
  return `${fence}diff\n${body}\n${fence}`;
}

/** What is different between two releases, for a pull request or a comment: at most `limit` characters. */
export function releaseDiffMarkdown(diff: ReleaseDiff, limit: number): string {
  const parts = [`### ${inline(diff.a.name)} → ${inline(diff.b.name)}: ${differenceOf(diff)}`];
  if (diff.images.length > 0) parts.push(imagesOf(diff));
  if (diff.commits.length > 0) parts.push(commitsOf(diff));
  parts.push(...diff.notices.map((one) => `> ${inline(one)}`));
  let length = parts.join('\n\n').length;
  let left = diff.moreGroups;
  for (const group of diff.groups) {
    const title = groupTitle(group);
    const text = [groupOf(group, title), `- ${inline(title)} (too large to be shown here)`].find(
      (one) => length + one.length + 2 <= limit - 200,
    );
    if (text === undefined) left++;
    else {
      parts.push(text);
      length += text.length + 2;
    }
  }
  if (left > 0)
    parts.push(`… and ${left} more: \`muster release diff ${diff.a.name} ${diff.b.name}\` shows everything.`);
  const text = parts.join('\n\n');
  return text.length <= limit ? text : `${text.slice(0, limit - 20)}\n\n… cut off`;
}

/** `3 objects changed, 1 removed in 40 targets on 20 clusters`; `nothing differs`. */
export function differenceOf({ same, summary }: ReleaseDiff): string {
  if (same) return 'nothing differs';
  const { changed, added, removed, clusters } = summary;
  const parts = [
    changed > 0 && `${changed} changed`,
    added > 0 && `${added} only in B`,
    removed > 0 && `${removed} only in A`,
  ].filter((part) => part !== false);
  return `of the targets ${parts.join(', ')}, on ${clusters} cluster${clusters === 1 ? '' : 's'}`;
}

/** `2 targets on 2 clusters: +3 −1 lines` */
export function groupTitle({ change, targets, clusters, added, removed }: ReleaseDiffGroup): string {
  const who = `${targets} target${targets === 1 ? '' : 's'} on ${clusters} cluster${clusters === 1 ? '' : 's'}`;
  if (change === 'added') return `${who}, only in B: ${added} lines`;
  if (change === 'removed') return `${who}, only in A: ${removed} lines`;
  return `${who}: +${added} −${removed} lines`;
}

/** `Deployment shop/web` */
export function nameOfObject({
  kind,
  namespace,
  name,
}: Pick<PlanObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

const MAX_ROWS = 50;

function imagesOf({ images, moreImages }: ReleaseDiff): string {
  const rows = images.slice(0, MAX_ROWS).map((one) => {
    const of = inline(`${nameOfObject(one)}, ${one.container}${one.init ? ' (init)' : ''}`);
    return `| ${of} | ${inline(one.before ?? '-')} | ${inline(one.after ?? '-')} |`;
  });
  const more = images.length - rows.length + moreImages;
  const rest = more > 0 ? [`| … and ${more} more | | |`] : [];
  return ['| container | image | becomes |', '|---|---|---|', ...rows, ...rest].join('\n');
}

function commitsOf({ commits }: ReleaseDiff): string {
  return commits
    .map((range) => {
      const ends = `${range.from ? shortCommit(range.from) : '-'} → ${range.to ? shortCommit(range.to) : '-'}`;
      const lines = range.commits
        .slice(0, MAX_ROWS)
        .map(
          ({ commit, subject, author, on }) =>
            `- ${on === 'a' ? '(taken back) ' : ''}\`${shortCommit(commit)}\` ${inline(subject)} (${inline(author)})`,
        );
      const more = range.more || range.commits.length > MAX_ROWS ? ['- … and more'] : [];
      const error = range.error ? [`- ${inline(range.error)}`] : [];
      return [`**${inline(range.repository)}** ${ends}`, '', ...lines, ...more, ...error].join('\n');
    })
    .join('\n\n');
}

function groupOf({ members, more, alike, omitted, objects }: ReleaseDiffGroup, title: string): string {
  const first = members[0];
  const lines = [`<details><summary>${html(title)}</summary>\n`];
  if (alike === 'but for names' && first)
    lines.push(`The same but for their names; shown as for \`${first.namespace}/${first.name}\`.\n`);
  if (omitted) lines.push('_The differences are too large to be shown._\n');
  for (const one of objects)
    lines.push(`**${SIGNS[one.action]} ${inline(nameOfObject(one))}**\n\n${diffBlock(one)}\n`);
  const names = members.map(({ namespace, name, cluster }) =>
    html(`${namespace}/${name} (${cluster ?? '-'})`),
  );
  lines.push(`${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}\n`, '</details>');
  return lines.join('\n');
}
