import { MusterError } from '@muster/base';
import { GitFailure } from './git-process.ts';

const CAUSES: {
  pattern: RegExp;
  code: 'forbidden' | 'not-found' | 'unavailable' | 'invalid';
  message: string;
  hint: string;
}[] = [
  {
    pattern:
      /could not read Username|terminal prompts disabled|Authentication failed|HTTP Basic: Access denied|returned error: 40[13]|Invalid username or (password|token)/i,
    code: 'forbidden',
    message: 'refused the credentials',
    hint: 'check the user name and the password or token of the repository',
  },
  {
    pattern: /Permission denied \(|Load key .*: (invalid|error)|error in libcrypto/i,
    code: 'forbidden',
    message: 'refused the SSH key',
    hint: 'check the SSH private key of the repository and that its public key may read it',
  },
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: 'forbidden',
    message: 'shows another SSH host key than the known one',
    hint: 'somebody may be in between; if the server was given a new key, replace it in knownHosts of the repository (ssh-keyscan prints it)',
  },
  {
    pattern: /Host key verification failed|No .* host key is known/i,
    code: 'forbidden',
    message: 'is not a known SSH host',
    hint: 'give the host’s key as knownHosts of the repository (ssh-keyscan prints it)',
  },
  {
    pattern: /Could not resolve host(name)?|Name or service not known|Temporary failure in name resolution/i,
    code: 'unavailable',
    message: 'names a host that is not known',
    hint: 'check the host name in the URL',
  },
  {
    pattern:
      /Repository not found|does not appear to be a git repository|not found$|returned error: 404|does not exist/im,
    code: 'not-found',
    message: 'was not found',
    hint: 'check the URL; a private repository without credentials also looks like this',
  },
  {
    pattern: /transport '.*' not allowed/i,
    code: 'forbidden',
    message: 'uses a protocol that this hub does not allow',
    hint: 'use https or ssh; file repositories need MUSTER_ALLOW_FILE_REPOSITORIES',
  },
  {
    pattern: /SSL certificate problem|server certificate verification failed/i,
    code: 'unavailable',
    message: 'presented a certificate that is not trusted',
    hint: 'have the server use a trusted certificate, or register the repository as insecure',
  },
  {
    pattern: /redirect/i,
    code: 'invalid',
    message: 'answered with a redirect, which is not followed when credentials are set',
    hint: 'use the address that it redirects to',
  },
  {
    pattern:
      /Connection refused|Connection timed out|Failed to connect|Operation timed out|early EOF|hung up/i,
    code: 'unavailable',
    message: 'could not be reached',
    hint: 'check that the server is up and that the hub may connect to it',
  },
];

/** Git's failure in words for the owner of the repository. `displayUrl` holds no secret. */
export function explainGitError(thrown: unknown, displayUrl: string): MusterError {
  if (!(thrown instanceof GitFailure)) return MusterError.from(thrown, 'unavailable');
  const cause = CAUSES.find((known) => known.pattern.test(thrown.stderr));
  if (!cause)
    return new MusterError('unavailable', `the repository ${displayUrl}: ${thrown.message}`, {
      cause: thrown,
    });
  return new MusterError(cause.code, `the repository ${displayUrl} ${cause.message}`, {
    hint: cause.hint,
    cause: thrown,
  });
}
