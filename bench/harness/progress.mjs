// One line that says what runs now, on a terminal; nothing elsewhere.

export function createProgress(stream) {
  const write = (text) => {
    if (stream.isTTY) stream.write(`\r\u001b[K${text}`)
  }
  return { show: write, clear: () => write('') }
}
