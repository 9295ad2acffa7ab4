// Reads unit files of systemd, as far as ours go.

/** The values of each setting, by `Section.Setting`; an empty value clears those before it. */
export function readUnit(text: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  let section = '';
  for (const line of text.split('\n')) {
    const title = /^\[(\w+)\]$/.exec(line)?.[1];
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (title !== undefined) section = title;
    else if (name !== undefined)
      settings.set(`${section}.${name}`, value === '' ? [] : [...(settings.get(`${section}.${name}`) ?? []), value]);
    else if (line !== '' && !line.startsWith('#')) throw new Error(`not a line of a unit file: ${line}`);
  }
  return settings;
}

/** `75s` in seconds. */
export function seconds(text: string | undefined): number {
  const [, number] = /^(\d+)s$/.exec(text ?? '') ?? [];
  if (number === undefined) throw new Error(`not a time in seconds: ${text}`);
  return Number(number);
}
