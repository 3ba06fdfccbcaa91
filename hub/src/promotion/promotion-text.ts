import type { ReleaseDiff } from '@muster/api';
import { inline, releaseDiffMarkdown } from '@muster/api/markdown';
import type { Environment, Promotion } from '@muster/rollout';
import { TRAILER } from '../sources/pushes/repository-pushes.service.ts';
import type { ChangeRow } from './promotions.repository.ts';

/** Hosts take no longer description: GitHub 65,536, Bitbucket Server 32,768. */
const MAX_BODY = 32_000;

export interface Told {
  promotion: Promotion;
  before: Environment;
  environment: Environment;
  change: ChangeRow;
  /** First line of the message of the commit that is promoted, where it is known. */
  subject: string | undefined;
}

/** The branch that a pull request comes from: of the hub alone, one for each environment. */
export function branchFor({ name }: Promotion, environment: Environment): string {
  return `muster/promote/${name}/${environment.name}`;
}

export function titleOf({ promotion, before, environment, change, subject }: Told): string {
  const what = subject ? `: ${subject}` : '';
  const title = `Promote ${promotion.name} from ${before.name} to ${environment.name} (release ${change.release_number})${what}`;
  return title.replace(/\s+/g, ' ').slice(0, 200);
}

export function messageOf(told: Told): string {
  const { before, environment, change } = told;
  const approved = change.approvals.map(
    ({ actor, reason }) => `Approved by ${actor}${reason ? `: ${reason}` : ''}`,
  );
  return [
    titleOf(told),
    '',
    `Release ${change.release_number} of ${ownerName(before)}, commit ${change.commit}, is healthy in ${before.name};`,
    `this is the same for ${environment.name}.`,
    ...(approved.length > 0 ? ['', ...approved.map((line) => line.replace(/\s+/g, ' ').slice(0, 500))] : []),
    '',
    `${TRAILER}: ${change.id}`,
    '',
  ].join('\n');
}

/** What a pull request says: why it is there, and what it changes where it is merged. */
export function bodyOf(told: Told, diff: ReleaseDiff | string): string {
  const { promotion, before, environment, change } = told;
  const head = [
    `<!-- muster-promotion: ${promotion.name}/${environment.name} -->`,
    `Release ${change.release_number} of \`${ownerName(before)}\` (commit \`${change.commit.slice(0, 12)}\`) is healthy in **${before.name}**. Merging this brings it to **${environment.name}** (\`${ownerName(environment)}\`).`,
    `Opened by Muster for the Promotion \`${promotion.name}\`; a newer release updates it, and closing it rejects this one.`,
    `What is different between the two now, as rendered; secrets are masked:`,
  ].join('\n\n');
  const rest = MAX_BODY - head.length - 2;
  return `${head}\n\n${typeof diff === 'string' ? `_${inline(diff)}_` : releaseDiffMarkdown(diff, rest)}`;
}

export function ownerName({ owner }: Environment): string {
  return `${owner.namespace}/${owner.name}`;
}
