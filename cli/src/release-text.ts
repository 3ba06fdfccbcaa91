import type { CommitRange, ImageChange, ReleaseDiff, ReleaseDiffGroup } from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import { differenceOf, groupTitle, nameOfObject } from '@muster/api/markdown';
import { type Paint, paint, plain } from './output.ts';

export interface DiffTextOptions {
  colour: boolean;
  /** Objects with the numbers of their lines, without the lines. */
  stat: boolean;
  /** Also the text of objects that only one side has. */
  full: boolean;
}

const SIGNS = { added: '+', changed: '~', removed: '-' } as const;
const COLOURS = { added: 'green', changed: 'yellow', removed: 'red' } as const;
const FIRST_MEMBERS = 3;

/** What is different between two releases, for people. */
export function releaseDiffText(diff: ReleaseDiff, options: DiffTextOptions): string {
  const { a, b } = diff;
  const blocks = [
    [`A  ${plain(a.name)}: ${plain(a.label)}`, `B  ${plain(b.name)}: ${plain(b.label)}`].join('\n'),
    ...diff.commits.map(commitsText),
    ...(diff.images.length > 0 ? [imagesText(diff.images, diff.moreImages)] : []),
    ...diff.groups.map((group) => groupText(group, options)),
    ...(diff.moreGroups > 0 ? [`… and ${diff.moreGroups} more groups: --full shows them`] : []),
    ...diff.notices.map((notice) => `note: ${plain(notice)}`),
    `${capital(differenceOf(diff))}.`,
  ];
  return blocks.join('\n\n');
}

const DIRECTIONS = {
  forward: '',
  back: ' (B is older)',
  apart: ' (each has commits that the other has not)',
  unknown: '',
} as const;

function commitsText({ repository, from, to, direction, commits, more, error }: CommitRange): string {
  const short = (commit: string | undefined) => (commit === undefined ? '-' : shortCommit(commit));
  const lines = commits.map(
    ({ commit, subject, author, on }) =>
      `  ${on === 'a' ? '-' : '+'} ${shortCommit(commit)} ${plain(subject)} (${plain(author)})`,
  );
  return [
    `Commits ${short(from)} → ${short(to)} of ${plain(repository)}${DIRECTIONS[direction]}`,
    ...lines,
    ...(more ? ['  … and more'] : []),
    ...(error ? [`  ${plain(error)}`] : []),
  ].join('\n');
}

function imagesText(images: readonly ImageChange[], more: number): string {
  const lines = images.map((one) => {
    const init = one.init ? ' (init)' : '';
    const who = one.targets > 1 ? `  in ${one.targets} targets` : '';
    return `  ${plain(nameOfObject(one))}, ${plain(one.container)}${init}: ${plain(one.before ?? 'none')} → ${plain(one.after ?? 'none')}${who}`;
  });
  return ['Images', ...lines, ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n');
}

function groupText(group: ReleaseDiffGroup, options: DiffTextOptions): string {
  const { change, alike, members, more, omitted, objects } = group;
  const lines = [
    painted(options, COLOURS[change], `${SIGNS[change]} ${groupTitle(group)}`),
    `    ${membersText(members, more)}`,
  ];
  if (alike === 'but for names' && members[0])
    lines.push(`    the same but for their names; shown as for ${plain(members[0].name)}`);
  if (omitted) lines.push('    (too large to be shown)');
  for (const object of objects) {
    const { action, added, removed, text, moreLines } = object;
    const title = painted(options, COLOURS[action], `  ${SIGNS[action]} ${plain(nameOfObject(object))}`);
    if (options.stat || (action !== 'changed' && !options.full)) {
      lines.push(`${title} (+${added} −${removed})`);
      continue;
    }
    lines.push(title, ...text.split('\n').map((line) => `    ${paintLine(plain(line), options)}`));
    if (moreLines > 0) lines.push(`    … and ${moreLines} more lines`);
  }
  return lines.join('\n');
}

function membersText(members: ReleaseDiffGroup['members'], more: number): string {
  const first = members
    .slice(0, FIRST_MEMBERS)
    .map(({ namespace, name, cluster }) => plain(`${namespace}/${name} (${cluster ?? '-'})`));
  const rest = more + members.length - first.length;
  return `${first.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function paintLine(line: string, options: DiffTextOptions): string {
  if (line.startsWith('+')) return painted(options, 'green', line);
  if (line.startsWith('-')) return painted(options, 'red', line);
  return line === '@@' ? painted(options, 'grey', line) : line;
}

function painted({ colour }: DiffTextOptions, name: Parameters<typeof paint>[0], text: string): string {
  const painter: Paint = paint(name);
  return colour ? painter(text) : text;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
