/** Which variables of an environment are secrets, by their names. */

const secretName = /(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;
const shortestValue = 12;
const longestValue = 8192;

/** Values that must not be seen in what an agent prints. A path is no secret, and a short value would be found everywhere. */
export function secretsAmong(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (value === undefined || !secretName.test(name)) return [];
    return value.length < shortestValue || value.length > longestValue || value.startsWith('/') ? [] : [value];
  });
}
