import type { PluginRequest } from '@muster/appset';
import { type JsonObject, MusterError } from '@muster/base';

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_SETS = 50_000;
const MAX_SAID = 300;

/** How a plugin is reached. */
export interface PluginAccess {
  name: string;
  baseUrl: string;
  token: string;
  timeoutSeconds: number;
}

/** Where a plugin answers. */
export function pluginEndpoint(baseUrl: string): string {
  return `${baseUrl.replace(/\/$/, '')}/api/v1/getparams.execute`;
}

/**
 * Asks a plugin for its parameter sets. Bounded in size and time; redirects are not followed. Throws `unavailable` for
 * what may pass, `forbidden` for a refused token, `invalid` for answers of another shape.
 */
export async function callPlugin(
  { name, baseUrl, token, timeoutSeconds }: PluginAccess,
  request: PluginRequest,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const what = `plugin ${name}`;
  const deadline = AbortSignal.timeout(timeoutSeconds * 1000);
  let text: string;
  let response: Response;
  try {
    response = await fetch(pluginEndpoint(baseUrl), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'muster',
      },
      body: JSON.stringify(request),
      redirect: 'manual',
      signal: AbortSignal.any([signal, deadline]),
    });
    text = await textOf(response, what);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof MusterError) throw thrown;
    const why = deadline.aborted ? `it did not answer within ${timeoutSeconds} s` : reasonOf(thrown);
    throw new MusterError('unavailable', `${what} cannot be asked: ${why}`, { cause: thrown });
  }
  if (!response.ok) throw refusal(response.status, text, what);
  return setsOf(text, what);
}

async function textOf(response: Response, what: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new MusterError('limit', `${what} answers with more than 10 MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The reference shows `message` or `error` of the body; what is no JSON may be a page of anything and is not shown. */
function refusal(status: number, text: string, what: string): MusterError {
  const body = parsed(text) as { message?: unknown; error?: unknown } | undefined;
  const said = [body?.message, body?.error].find((one) => typeof one === 'string')?.slice(0, MAX_SAID);
  const message = `${what}: API error with status code ${status}${said ? `: ${said}` : ''}`;
  if (status === 401 || status === 403)
    return new MusterError('forbidden', message, {
      hint: `muster plugin add ${what.slice(7)} … again, with its token`,
    });
  return new MusterError(status >= 500 || status === 429 ? 'unavailable' : 'invalid', message);
}

function setsOf(text: string, what: string): JsonObject[] {
  // As in the reference: no body at all is no parameters.
  const body = text.trim() === '' ? {} : parsed(text);
  if (!isObject(body))
    throw new MusterError('invalid', `${what} answers with something that is not a JSON object`);
  const output = body['output'] ?? {};
  const sets = (isObject(output) ? output['parameters'] : undefined) ?? [];
  if (!isObject(output) || !Array.isArray(sets) || sets.some((set) => set !== null && !isObject(set)))
    throw new MusterError('invalid', `${what} must answer {"output": {"parameters": [{…}, …]}}`);
  if (sets.length > MAX_SETS)
    throw new MusterError('limit', `${what} answers with more than ${MAX_SETS} parameter sets`);
  return sets.map((set) => (set ?? {}) as JsonObject);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function reasonOf(thrown: unknown): string {
  const error = thrown as Error & { cause?: { code?: string; message?: string } };
  return error.cause?.code ?? error.cause?.message ?? error.message;
}
