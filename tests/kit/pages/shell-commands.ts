/**
 * The commands of a shell block, one a line; a backslash at its end joins the next one. Each is a shell of its own in
 * the page's folder. A comment behind it, `# -> text`, says what has to be in its output.
 */
export interface ShellCommand {
  /** Of the page, from 1. */
  readonly line: number
  readonly command: string
  /** What its output has to hold, if the page says so. */
  readonly output?: string
}

/** `firstLine` is the line of the page that `text` begins in. */
export function readShellCommands(text: string, firstLine: number): readonly ShellCommand[] {
  const commands: ShellCommand[] = []
  let joined = ''
  let line = firstLine
  text.split('\n').forEach((content, i) => {
    if (joined === '') line = firstLine + i
    if (content.endsWith('\\')) {
      joined += content.slice(0, -1)
      return
    }
    const command = joined + content
    joined = ''
    const [, output] = /\s# -> (.+)$/.exec(command) ?? []
    if (command.trim() === '' || command.trim().startsWith('#')) return
    commands.push({ line, command, ...(output === undefined ? {} : { output }) })
  })
  return commands
}
