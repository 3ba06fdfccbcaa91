import { type ObjectName, placeOf } from './object-key.ts';

/** What an action is called, and what it does, in words that can be checked before it is done. */
export interface ActionText {
  label: string;
  says: string;
  /** It takes something away, or cannot be taken back. */
  danger?: boolean;
}

const TEXTS: Record<string, ActionText> = {
  restart: {
    label: 'Restart',
    says: 'Its Pods are made anew, a few at a time, as by kubectl rollout restart. Git stays as it is.',
  },
  scale: {
    label: 'Scale',
    says: 'Sets how many replicas there are. Refused where Git states the number and self-heal would put it back.',
  },
  delete: {
    label: 'Delete',
    says: 'Deletes exactly the object that you look at, and no other that took its name since. What Git names is made again by self-heal or the next sync; a Pod by what owns it.',
    danger: true,
  },
  pause: {
    label: 'Pause',
    says: 'Changes of its template make no new Pods until it is resumed. Those that run go on.',
  },
  resume: { label: 'Resume', says: 'It goes on from where it was paused or suspended.' },
  promote: {
    label: 'Promote',
    says: 'Ends the pause, or goes on to the next step of the update, as kubectl argo rollouts promote.',
  },
  'promote-full': {
    label: 'Promote in full',
    says: 'Skips analysis, pauses and all steps: the new version takes all traffic.',
    danger: true,
  },
  'skip-step': { label: 'Skip step', says: 'Goes on to the step after this one.' },
  'skip-all-steps': {
    label: 'Skip all steps',
    says: 'Goes on behind the last step of the update.',
    danger: true,
  },
  abort: {
    label: 'Abort',
    says: 'Ends the update and goes back to the stable version; Git still says the new one.',
    danger: true,
  },
  retry: { label: 'Retry', says: 'Begins the aborted update anew.' },
  suspend: { label: 'Suspend', says: 'No new runs begin until it is resumed; a Job lets go of its Pods.' },
  trigger: { label: 'Run now', says: 'Makes a Job of its template at once.' },
};

/** An action that the page does not know yet is offered by its own name. */
export function actionText(action: string): ActionText {
  return TEXTS[action] ?? { label: action, says: `Has the agent carry out “${action}”.` };
}

/** Kinds whose removal may take data with it; the hub asks for the role admin, and that it is said. */
const WITH_DATA = new Set([
  'PersistentVolumeClaim',
  'PersistentVolume',
  'Namespace',
  'CustomResourceDefinition',
]);

export const mayLoseData = ({ kind }: Pick<ObjectName, 'kind'>): boolean => WITH_DATA.has(kind);

/** What somebody filled in. */
export interface ActionForm {
  reason: string;
  replicas: string;
  propagation: string;
  force: boolean;
  data: boolean;
  /** The name, typed again. */
  typed: string;
}

/** Why a form cannot be sent yet; undefined: it can. */
export function missingIn(action: string, object: ObjectName, form: ActionForm): string | undefined {
  if (action === 'scale' && !/^\d{1,6}$/.test(form.replicas.trim())) return 'Say how many replicas.';
  if (action !== 'delete') return undefined;
  if (form.typed.trim() !== object.name) return `Type ${object.name} to delete it.`;
  if (mayLoseData(object) && !form.data) return 'Say that data may be lost.';
  return undefined;
}

/** The parameters that the hub is told. */
export function parametersOf(action: string, form: ActionForm): Record<string, string> {
  if (action === 'scale') return { replicas: form.replicas.trim() };
  if (action !== 'delete') return {};
  return {
    propagation: form.propagation,
    ...(form.force && { force: 'true' }),
    ...(form.data && { data: 'true' }),
  };
}

/** `Restart Deployment shop/web`. */
export function actionTitle(action: string, object: ObjectName): string {
  return `${actionText(action).label} ${object.kind} ${placeOf(object)}`;
}
