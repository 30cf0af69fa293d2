/** Which variables of this process an agent sees: an allow-list of names, so that a secret nobody thought of stays here. */
import { defaultInheritedEnvironment } from '@cadre/spawner';

/**
 * The names out of `names` that an agent inherits: the spawner's defaults, what reaches a model API through a company's
 * network, and `patterns`; a trailing `*` stands for any ending. `never` wins over all of them.
 */
export function inheritedNames(
  names: readonly string[],
  patterns: readonly string[],
  never: readonly string[] = [],
): readonly string[] {
  const allowed = [...defaultInheritedEnvironment, ...network, ...patterns];
  return names.filter((name) => !never.includes(name) && allowed.some((pattern) => nameMatches(name, pattern)));
}

const network: readonly string[] = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
];

function nameMatches(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
