import { type ErrorCode, MusterError } from '@muster/base';

/** The part of a `Status` answer that is used. */
export interface KubeStatus {
  code?: number;
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; field?: string; message?: string }[]; retryAfterSeconds?: number };
}

/** An answer of the API server that is not a success. `message` may hold values of the object: see `safeMessage`. */
export class KubeError extends MusterError {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Kubernetes' word, for example NotFound, AlreadyExists, Conflict, Invalid, Expired. */
  readonly reason: string;
  /** Names of the fields that were wrong. */
  readonly fields: string[];

  constructor(status: number, body: KubeStatus | undefined, fallback: string, cause?: unknown) {
    super(codeOf(status), body?.message || fallback, { cause });
    this.name = 'KubeError';
    this.status = status;
    this.reason = body?.reason ?? '';
    this.fields = (body?.details?.causes ?? []).map((each) => each.field ?? '').filter(Boolean);
  }

  /** The object, or its kind, is not there. */
  get notFound(): boolean {
    return this.status === 404;
  }

  /** Trying again may help. */
  get transient(): boolean {
    // An object that does not fit its type is answered as an internal error.
    if (this.status === 500 && /failed to create typed|typed patch/.test(this.message)) return false;
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** What API servers themselves say of a Secret without quoting it: a webhook may say anything, with any code. */
const HARMLESS = [
  // The same of rights in our own words: forbidden.ts.
  /^(ServiceAccount|user) [\w.:@/-]+(, the agent’s own,)? may not \w+ secrets in (namespace [\w.-]+|the cluster)( \([\w.-]+\))?: give it that by [\w ]+$/,
  /^this agent \((ServiceAccount|user) [\w.:@/-]+\) may not act as ServiceAccount [\w./-]+: list it among [\w. ]+$/,
  /^secrets ("[^"]*" )?is forbidden: User "[^"]*" cannot \w+ resource "[^"]*" in API group "[^"]*"( in the namespace "[^"]*"| at the cluster scope)?/,
  /^secrets "[^"]*" is forbidden: unable to create new content in namespace [\w-]+ because it is being terminated/,
  /^secrets "[^"]*" is forbidden: exceeded quota: [\w.-]+, requested: [\w.=/,-]+, used: [\w.=/,-]+, limited: [\w.=/,-]+/,
  /^(secrets|namespaces) "[^"]*" not found$/,
  /^the server could not find the requested resource$/,
];

/**
 * The words to show for what went wrong with an object of this kind. The API server quotes values in its
 * messages; for a Secret only the reason and the names of the fields leave the agent.
 */
export function safeMessage(kind: string, thrown: unknown): string {
  if (!(thrown instanceof KubeError)) return thrown instanceof Error ? thrown.message : String(thrown);
  if (kind !== 'Secret') return shortened(thrown.message);
  if (thrown.status === 0) return shortened(thrown.message);
  const harmless = HARMLESS.map((pattern) => pattern.exec(thrown.message)?.[0]).find(Boolean);
  if (harmless) return harmless;
  const webhook = /admission webhook "([\w.-]+)"/.exec(thrown.message)?.[1];
  const by = webhook ? ` by the admission webhook ${webhook}` : '';
  const fields = thrown.fields.length > 0 ? `: ${thrown.fields.join(', ')}` : '';
  return `the API server refused the Secret${by} (${thrown.reason || thrown.status})${fields}`;
}

/** The API server quotes whole objects and says at the end what is wrong with them. */
function shortened(message: string): string {
  return message.length <= 1_000 ? message : `${message.slice(0, 400)} … ${message.slice(-500)}`;
}

function codeOf(status: number): ErrorCode {
  switch (status) {
    case 400:
    case 415:
    case 422:
      return 'invalid';
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    case 404:
    case 410:
      return 'not-found';
    case 409:
      return 'conflict';
    case 413:
      return 'limit';
    default:
      return status === 0 || status === 429 || status >= 500 ? 'unavailable' : 'internal';
  }
}
