import type { PromotionEnvironmentView, PromotionVerb, PromotionView } from '@muster/api';
import type { AskText } from '../../ui/ask-text.ts';
import { type Offer, needsRole } from '../../ui/offer.ts';

/** Something that somebody may ask of a promotion, or of the change on its way to one environment. */
export interface PromotionAsk {
  verb: PromotionVerb['verb'] | 'delete';
  environment?: string;
}

/** What the session may do; the hub decides again. */
export interface PromotionMay {
  operate: boolean;
  approve: boolean;
  administer: boolean;
  name: string;
  project: string;
}

const DANGER: ReadonlySet<PromotionAsk['verb']> = new Set(['reject', 'delete']);

function offer(ask: PromotionAsk, label: string, refused: string | undefined): Offer<PromotionAsk> {
  return { ask, label, danger: DANGER.has(ask.verb), ...(refused !== undefined && { refused }) };
}

const lacks = ({ operate, project }: PromotionMay) => (operate ? undefined : needsRole('operator', project));

/** What can be asked of all of it. */
export function promotionVerbs(
  { paused }: Pick<PromotionView, 'paused'>,
  may: PromotionMay,
): Offer<PromotionAsk>[] {
  return [
    paused ? offer({ verb: 'resume' }, 'Resume', lacks(may)) : offer({ verb: 'pause' }, 'Pause', lacks(may)),
    offer({ verb: 'delete' }, 'Delete …', may.administer ? undefined : needsRole('admin', '')),
  ];
}

const RETRIED = new Set(['failed', 'conflict', 'closed', 'rejected', 'expired', 'open']);
const REFUSED = new Set(['waiting', 'failed', 'conflict']);

/** What can be asked of the change on its way to an environment, or of the last one. */
export function changeVerbs(
  { name, current, last }: PromotionEnvironmentView,
  may: PromotionMay,
): Offer<PromotionAsk>[] {
  const offers: Offer<PromotionAsk>[] = [];
  const asks = current?.state === 'waiting' && current.asks && current.asks.count > 0;
  if (asks)
    offers.push(offer({ verb: 'approve', environment: name }, 'Approve', cannotVote(current, may, true)));
  if (current && REFUSED.has(current.state))
    offers.push(offer({ verb: 'reject', environment: name }, 'Reject', cannotVote(current, may, false)));
  const change = current ?? last;
  if (change && RETRIED.has(change.state))
    offers.push(offer({ verb: 'retry', environment: name }, retryLabel(change.state), lacks(may)));
  return offers;
}

function retryLabel(state: string): string {
  if (state === 'open') return 'Look again';
  return state === 'failed' || state === 'conflict' ? 'Try again' : 'Ask again';
}

function cannotVote(
  { asks, approvals }: NonNullable<PromotionEnvironmentView['current']>,
  { approve, name, project }: PromotionMay,
  approving: boolean,
): string | undefined {
  if (!approve) return needsRole('approver', project);
  if (!asks || asks.yours) return undefined;
  if (approvals.some(({ actor }) => actor === name))
    return approving ? 'You have approved it already: it takes another person.' : undefined;
  return `Only ${asks.groups.join(' or ')} may ${approving ? 'approve' : 'reject'} it.`;
}

/** What a dialog says before anything is done. */
export function promotionText(found: PromotionView, { verb, environment }: PromotionAsk): AskText {
  const { name, environments } = found;
  const to = environments.find((one) => one.name === environment);
  const change = to?.current ?? to?.last;
  const what = change ? `release ${change.release} of the environment before` : 'the change';
  const base = { needsReason: DANGER.has(verb), danger: DANGER.has(verb) };
  switch (verb) {
    case 'approve':
      return {
        ...base,
        title: `Approve the change for ${environment}`,
        label: 'Approve',
        says: approveSays(to, what),
      };
    case 'reject':
      return {
        ...base,
        title: `Reject the change for ${environment}`,
        label: 'Reject',
        says: [`${environment} keeps what it has. A newer release asks again, and so does Ask again.`],
      };
    case 'retry':
      return {
        ...base,
        title: `${change ? retryLabel(change.state) : 'Try again'}: ${environment}`,
        label: change ? retryLabel(change.state) : 'Try again',
        says: [
          change?.endedAt
            ? `The change for ${environment} begins anew with ${what}, and waits for all that it waited for before.`
            : `The hub tries it now: ${what} to ${environment}.`,
        ],
      };
    case 'pause':
      return {
        ...base,
        title: `Pause the promotion ${name}`,
        label: 'Pause',
        says: ['No more changes are made until somebody resumes it. Pull requests that are open stay so.'],
      };
    case 'resume':
      return {
        ...base,
        title: `Resume the promotion ${name}`,
        label: 'Resume',
        says: ['It goes on from where it was.'],
      };
    case 'delete':
      return {
        ...base,
        title: `Delete the promotion ${name}`,
        label: 'Delete',
        says: [
          'Nothing is promoted any more, and its history is gone. Environments, branches and open pull requests stay as they are.',
        ],
        needsReason: false,
        asksReason: false,
      };
  }
}

function approveSays(to: PromotionEnvironmentView | undefined, what: string): string[] {
  const { asks, removes } = to?.current ?? {};
  const more = (asks?.count ?? 1) - 1;
  const then =
    more > 0
      ? `${more} more ${more === 1 ? 'approval is' : 'approvals are'} needed after yours.`
      : `Yours is the last that is needed: ${what} goes to ${to?.name}${to?.mode === 'commit' ? ' by a commit' : ' as a pull request'}, once its soak and its windows allow.`;
  if (!removes) return [then];
  return [
    then,
    `${to?.name} loses ${removes.count} ${removes.count === 1 ? 'object' : 'objects'}: ${removes.names.join(', ')}.`,
  ];
}
