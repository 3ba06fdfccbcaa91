/** Writes a plan as a comment of a pull request, over the one that was written before: found by its first line. */
import { readFileSync } from 'node:fs';

const { PLAN_API, PLAN_REPOSITORY, PLAN_PULL, PLAN_GITHUB_TOKEN, PLAN_MARKDOWN } = process.env;
const MAX_PAGES = 30;
const body = readFileSync(PLAN_MARKDOWN, 'utf8').trimEnd();
const marker = body.split('\n', 1)[0];

async function api(method, path, content) {
  const response = await fetch(`${PLAN_API}/repos/${PLAN_REPOSITORY}${path}`, {
    method,
    signal: AbortSignal.timeout(30_000),
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${PLAN_GITHUB_TOKEN}`,
      'x-github-api-version': '2022-11-28',
      ...(content && { 'content-type': 'application/json' }),
    },
    ...(content && { body: JSON.stringify(content) }),
  });
  if (response.ok) return response.json();
  throw Object.assign(new Error(`${method} ${path}: GitHub answered ${response.status}`), {
    status: response.status,
  });
}

async function write() {
  for (let page = 1; page <= MAX_PAGES; page++) {
    const comments = await api('GET', `/issues/${PLAN_PULL}/comments?per_page=100&page=${page}`);
    for (const comment of comments.filter((one) => one.body?.startsWith(marker))) {
      try {
        return await api('PATCH', `/issues/comments/${comment.id}`, { body });
      } catch (error) {
        // Somebody else copied the first line: theirs cannot be changed, and is left alone.
        if (error.status !== 403 && error.status !== 404) throw error;
      }
    }
    if (comments.length < 100) break;
  }
  return api('POST', `/issues/${PLAN_PULL}/comments`, { body });
}

try {
  await write();
} catch (error) {
  // A pull request of a fork has a token that may only read; the plan is in the summary of the job all the same.
  console.log(`::warning::the plan was not written as a comment: ${error.message}`);
}
