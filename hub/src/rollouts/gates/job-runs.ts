import { type Judgement, type PlaceJudgement, judgePlaces, judged } from '@muster/rollout';

/** What was begun in one place. */
export interface JobRun {
  /** The newest command about it. */
  command: string;
  /** The one that made the Job: its name is of that. */
  job: string;
  /** How often it was looked for without an answer. */
  tries: number;
}

/** What is known of one place. */
export interface JobPlace {
  target: string;
  place: string;
  run: JobRun | undefined;
  /** Why nothing can be begun there now. */
  problem: string | undefined;
  /** The cluster does not hold the Application yet, and what the policy makes of that; undefined: it holds it. */
  absent: 'ok' | 'unknown' | undefined;
  /** Of the newest command; null: it is under way. */
  outcome: 'succeeded' | 'failed' | 'refused' | 'unknown' | 'expired' | null;
  message: string;
}

/** What to do now: begin Jobs, look again for some whose command was cut off, and what is known together. */
export interface JobPlan {
  begin: string[];
  resume: string[];
  /** Undefined: some run, and none has failed. */
  judgement: Judgement | undefined;
}

/** An agent that was restarted is asked once more before anybody is told. */
const TRIES_BEFORE_WORDS = 2;

/**
 * A Job is begun once in each place. Where nobody knows what came of its command it is looked for, never made again; a
 * command that never reached its cluster made nothing, and neither did one that was refused.
 */
export function planJobs(places: readonly JobPlace[]): JobPlan {
  const plan: JobPlan = { begin: [], resume: [], judgement: undefined };
  const known: PlaceJudgement[] = [];
  for (const one of places) {
    const { target, place, run, problem, outcome, message } = one;
    if (!run && one.absent) {
      known.push({ place, ...judged(one.absent, ABSENT[one.absent]) });
      continue;
    }
    const unknown = (detail: string) => void known.push({ place, ...judged('unknown', detail) });
    if (!run || outcome === 'expired') {
      if (problem === undefined) plan.begin.push(target);
      else unknown(problem);
    } else if (outcome === 'succeeded') known.push({ place, ...endOf(message) });
    else if (outcome === 'unknown') {
      if (run.tries >= TRIES_BEFORE_WORDS) unknown(message || 'nobody can say how the Job ended');
      plan.resume.push(target);
    } else if (outcome !== null) {
      // It is tried anew: limits and agents may change meanwhile.
      unknown(message || outcome);
      if (problem === undefined) plan.begin.push(target);
    }
  }
  const all = known.length === places.length || places.length === 0;
  if (all || known.some(({ verdict }) => verdict === 'bad')) plan.judgement = judgePlaces(known);
  return plan.judgement?.verdict === 'bad' ? { ...plan, begin: [], resume: [] } : plan;
}

/** Said at once: nobody has to find out at the deadline of the gate. */
const ABSENT = {
  ok: 'the Application is not deployed there yet',
  unknown:
    'the Application is not deployed there yet, so no Job can run for it: skip the gate this once, or have it say `absent: ok`',
};

/** What an agent says of a Job that has ended. */
function endOf(message: string): Judgement {
  let said: { job?: unknown; detail?: unknown };
  try {
    said = JSON.parse(message) as typeof said;
  } catch {
    said = {};
  }
  const detail = typeof said?.detail === 'string' ? said.detail : '';
  if (said?.job === 'succeeded') return judged('ok', detail || 'the Job succeeded');
  if (said?.job === 'failed') return judged('bad', detail || 'the Job failed');
  return judged('unknown', detail || 'nobody can say how the Job ended');
}
