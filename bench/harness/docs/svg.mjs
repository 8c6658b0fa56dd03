// The few shapes that the plots are made of.

export function svg({ title, width, height }, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

export function line(from, to, color, width = 1) {
  return `<line x1="${at(from.x)}" y1="${at(from.y)}" x2="${at(to.x)}" y2="${at(to.y)}" stroke="${color}" stroke-width="${width}"/>`
}

export function circle({ x, y }, color) {
  return `<circle cx="${at(x)}" cy="${at(y)}" r="5" fill="${color}"/>`
}

export function text(content, { x, y, anchor = 'start' }) {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="#333">${content}</text>`
}

/** One mark and name an entry, side by side by `step` or below each other by `down`. */
export function legend(entries, { x, y, step = 0, down = 0 }) {
  return entries.flatMap(({ name, color }, k) => {
    const place = { x: x + k * step, y: y + k * down }
    return [circle(place, color), text(name, { x: place.x + 10, y: place.y + 4 })]
  })
}

function at(value) {
  return Math.round(value * 10) / 10
}
