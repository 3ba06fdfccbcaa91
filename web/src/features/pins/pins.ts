import type { ApplicationView, PinView, Pinned, Unpinned } from '@muster/api';
import type { AskText } from '../../ui/ask-text.ts';
import { type Offer, needsRole } from '../../ui/offer.ts';

export type PinVerb = 'pin' | 'unpin';

type Subject = Pick<ApplicationView, 'name' | 'project' | 'pinned' | 'leaving' | 'revision' | 'destination'>;

/** What can be asked of an Application's pin now, by the rules of the hub, which decides again. */
export function pinOffers(app: Subject, mayOperate: boolean): Offer<PinVerb>[] {
  const refused = mayOperate ? undefined : needsRole('operator', app.project);
  const cannot = refused ?? cannotPin(app);
  const pin: Offer<PinVerb> = {
    ask: 'pin',
    label: app.pinned ? 'Change the pin …' : 'Pin …',
    danger: false,
    ...(cannot !== undefined && { refused: cannot }),
  };
  if (!app.pinned) return [pin];
  return [{ ask: 'unpin', label: 'Unpin …', danger: false, ...(refused !== undefined && { refused }) }, pin];
}

function cannotPin({ leaving, revision, destination, pinned }: Subject): string | undefined {
  if (leaving) return 'It is leaving: there is nothing to pin.';
  if (!destination.cluster) return 'It is in no cluster that the hub knows: there is nothing to pin.';
  if (!revision && !pinned) return 'It holds nothing yet that it could be kept at.';
  return undefined;
}

export function pinText(
  { name, pinned, automated }: Pick<ApplicationView, 'name' | 'pinned' | 'automated'>,
  verb: PinVerb,
): AskText {
  if (verb === 'unpin')
    return {
      title: `Let go of ${name}`,
      label: 'Unpin',
      says: [
        'It gets its newest release. While a rollout is on its way it waits for its turn there; where the newest release is held back it waits with the others.',
      ],
      needsReason: true,
      danger: false,
    };
  return {
    title: pinned ? `Change the pin of ${name}` : `Pin ${name}`,
    label: 'Pin',
    says: [
      'It stays at the release that you choose, whatever is newer, and drift is put back to that. No rollout moves it, and none counts it.',
      ...(pinned ? [`It takes the place of the pin of ${pinned.by}: ${pinned.reason}`] : []),
      ...(automated
        ? []
        : ['It is synced by hand: a release that it does not hold waits for somebody to sync it.']),
    ],
    needsReason: true,
    danger: false,
  };
}

const HOUR = 3600;
const DAY = 86_400;
const MOST = 365 * DAY;

/** For how long a pin may hold without much thought. */
export const LENGTHS: readonly { value: string; label: string; seconds: number }[] = [
  { value: '1h', label: '1 hour', seconds: HOUR },
  { value: '4h', label: '4 hours', seconds: 4 * HOUR },
  { value: '1d', label: '1 day', seconds: DAY },
  { value: '3d', label: '3 days', seconds: 3 * DAY },
  { value: '7d', label: '7 days', seconds: 7 * DAY },
];

export interface PinForm {
  /** Number of a release; empty: what it holds now. */
  release: string;
  /** One of LENGTHS, `other`; empty: until somebody lets go of it. */
  length: string;
  /** Hours or days, where `length` is `other`. */
  amount: string;
  unit: 'hours' | 'days';
}

export const EMPTY_FORM: PinForm = { release: '', length: '', amount: '', unit: 'hours' };

/** Seconds; undefined: without an end. Throws nothing: `wrongIn` says what is not right. */
export function secondsOf({ length, amount, unit }: PinForm): number | undefined {
  if (length !== 'other') return LENGTHS.find(({ value }) => value === length)?.seconds;
  return Number(amount) * (unit === 'hours' ? HOUR : DAY);
}

export function wrongIn(form: PinForm): string | undefined {
  if (form.length !== 'other') return undefined;
  const seconds = secondsOf(form);
  if (/^[1-9]\d{0,4}$/.test(form.amount.trim()) && seconds !== undefined && seconds <= MOST) return undefined;
  return 'Say for how many hours or days: a whole number, at most a year.';
}

/** `release #41 (commit 1a2b3c4 on main)`. */
export function keptAt({ release }: Pick<PinView, 'release'>): string {
  return release ? `release #${release.number} (${release.cause})` : 'a release that is forgotten by now';
}

/** What the hub made of it, in words. */
export function outcome(answer: Pinned | Unpinned): string {
  if ('next' in answer) return `Let go of: ${answer.next}.`;
  const byHand = answer.synced === 'by-hand' ? ' It is synced by hand.' : '';
  return `Pinned at ${keptAt(answer.pin)}.${byHand}`;
}
