import { MusterError } from '@muster/base';
import { type Promotion, loopOf, parsePromotion } from '@muster/rollout';
import { repositoryLocation } from '../sources/repository-url.ts';
import { targetOf } from '../sources/scm/pull-requests.service.ts';
import { parseFieldPath } from './yaml-fields.ts';

/** A Promotion that was checked, and its document. */
export interface CheckedPromotion {
  promotion: Promotion;
  manifest: Record<string, unknown>;
}

/** Checks a Promotion document. Throws `invalid`. */
export function checkPromotion(document: Record<string, unknown>, where: string): CheckedPromotion {
  const promotion = parsePromotion(document, where);
  const problems: string[] = [];
  const attempt = (at: string, check: () => unknown) => {
    try {
      check();
    } catch (thrown) {
      problems.push(`${at}: ${MusterError.from(thrown).describe()}`);
    }
  };
  attempt('spec.repository', () => repositoryLocation(promotion.repository));
  for (const [i, { change }] of promotion.environments.entries()) {
    const at = `spec.environments[${i}].change`;
    if (change?.mode === 'pull-request') attempt(at, () => targetOf(promotion.repository, promotion.host));
    if (change?.kind === 'copy')
      for (const { fields } of change.keep)
        for (const field of fields) attempt(`${at}.copy.keep`, () => parseFieldPath(field));
    if (change?.kind === 'set')
      for (const { field, fromField } of change.fields) {
        attempt(`${at}.set`, () => parseFieldPath(field));
        attempt(`${at}.set`, () => parseFieldPath(fromField));
      }
  }
  if (problems.length > 0) throw new MusterError('invalid', [...new Set(problems)].join('; '), { where });
  const { status: _status, ...manifest } = document;
  return { promotion, manifest };
}

/** Throws `invalid` where changes of one promotion would lead through others back to where they began. */
export function refuseLoops(promotion: Promotion, others: readonly Promotion[]): void {
  const loop = loopOf(
    [promotion, ...others.filter(({ name }) => name !== promotion.name)].map(
      ({ repository, environments }) => ({
        places: environments.map(({ branch, path }) => ({
          repository: repositoryLocation(repository),
          branch,
          path,
        })),
      }),
    ),
  );
  if (!loop) return;
  throw new MusterError('invalid', `changes would come back to where they began: ${loop}`, {
    where: `Promotion ${promotion.name}`,
    hint: '`muster promotion list` shows the others',
  });
}
