import { MusterError } from '@muster/base';

/** A repository's URL in its parts. `normalised` is equal for spellings that mean the same repository. */
export interface RepositoryUrl {
  protocol: 'https' | 'http' | 'ssh' | 'file';
  host: string;
  /** What git is called with; never holds a password. */
  url: string;
  normalised: string;
}

const SCP = /^(?:([\w.~-]+)@)?(\[[0-9a-fA-F:]+\]|[\w.-]+):(?!\/\/|:)(.+)$/;

/**
 * Reads a repository URL as git takes it: https, http, ssh (also `git@host:path`), file. Throws `invalid`
 * for anything else, and for a URL that holds a password (it belongs into the credentials).
 */
export function parseRepositoryUrl(text: string): RepositoryUrl {
  const written = text.trim();
  if (written === '') throw new MusterError('invalid', 'the repository URL is empty');
  if (/[\0-\x1f\x7f]/.test(written) || written.startsWith('-')) {
    throw new MusterError('invalid', 'the repository URL holds characters that are not allowed in one');
  }
  const scp = written.includes('://') ? null : SCP.exec(written);
  if (scp) return ssh(scp[1] ?? 'git', scp[2]!, '', scp[3]!, written);
  if (written.startsWith('/')) return file(written);
  let url: URL;
  try {
    url = new URL(written);
  } catch {
    throw new MusterError('invalid', `not a repository URL: ${written.replace(/\/\/.*@/, '//…@')}`);
  }
  if (url.password !== '') {
    throw new MusterError('invalid', 'the repository URL holds a password', {
      hint: 'leave it out of the URL and give it as the repository’s credentials',
    });
  }
  if (url.hash !== '') throw new MusterError('invalid', 'a repository URL has no # part');
  switch (url.protocol) {
    case 'file:':
      if (url.host !== '' && url.host !== 'localhost')
        throw new MusterError('invalid', 'a file URL names no host');
      return file(decodeURIComponent(url.pathname));
    case 'https:':
    case 'http:': {
      const protocol = url.protocol === 'https:' ? 'https' : 'http';
      url.username = '';
      const path = strip(url.pathname);
      return {
        protocol,
        host: url.host,
        url: url.href,
        normalised: `${protocol}://${url.host}${lowerKnownHost(url.hostname, path)}${url.search}`,
      };
    }
    case 'ssh:':
    case 'git+ssh:':
      return ssh(url.username || 'git', url.hostname, url.port, url.pathname, written.replace(/^git\+/, ''));
    default:
      throw new MusterError(
        'invalid',
        `repositories are reached by https, ssh or file, not by ${url.protocol}//`,
      );
  }
}

/** The same repository, as webhooks and Applications may spell it: host and path without protocol, user and `.git`. */
export function repositoryLocation(text: string): string {
  const parsed = parseRepositoryUrl(text);
  return parsed.normalised
    .replace(/^[a-z]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .toLowerCase();
}

function ssh(user: string, host: string, port: string, path: string, url: string): RepositoryUrl {
  const at = port === '' || port === '22' ? host.toLowerCase() : `${host.toLowerCase()}:${port}`;
  if (host.startsWith('-')) throw new MusterError('invalid', `not a host name: ${host}`);
  const normalised = `ssh://${user}@${at}${lowerKnownHost(host, strip(path.startsWith('/') ? path : `/${path}`))}`;
  return { protocol: 'ssh', host: at, url, normalised };
}

function file(path: string): RepositoryUrl {
  const plain = path.replace(/\/+$/, '') || '/';
  if (plain.split('/').includes('..'))
    throw new MusterError('invalid', 'the path of a file repository must not hold ..');
  return {
    protocol: 'file',
    host: '',
    url: `file://${plain}`,
    normalised: `file://${plain.replace(/\/\.git$/, '')}`,
  };
}

function strip(path: string): string {
  return path
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .replace(/\/{2,}/g, '/');
}

/** GitHub and GitLab do not tell upper from lower case in paths; other servers may. */
function lowerKnownHost(host: string, path: string): string {
  return /(^|\.)(github|gitlab|bitbucket)\.(com|org)$/i.test(host) ? path.toLowerCase() : path;
}
