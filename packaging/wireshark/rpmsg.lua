-- SPDX-License-Identifier: Apache-2.0
-- Dissector of Wireshark and TShark for the captures of rpmsgd (`rpmsgctl capture`): the RPMsg
-- header, announcements of the name service, and the packets of NXP's services, which begin with a
-- ten-byte head. Link type LINKTYPE_USER0: a 16-byte RPMsg header and the payload. A packet without
-- bytes is its comment: a reset, a new state.

local HEADER_BYTES = 16
local NAME_SERVICE_ADDRESS = 53
local ANNOUNCEMENT_BYTES = 40
local NAME_BYTES = 32
local NXP_HEAD_BYTES = 10

local rpmsg = Proto("rpmsg", "RPMsg")
local name_service = Proto("rpmsg_ns", "RPMsg Name Service")
local nxp = Proto("rpmsg_nxp", "NXP RPMsg service")

-- What frames say of themselves.
local interface_name_of = Field.new("frame.interface_name")
local comment_of = Field.new("frame.comment")
local direction_of = Field.new("frame.packet_flags_direction")
local INBOUND, OUTBOUND = 1, 2

local f = {
  src = ProtoField.uint32("rpmsg.src", "Source address", base.HEX),
  dst = ProtoField.uint32("rpmsg.dst", "Destination address", base.HEX),
  reserved = ProtoField.uint32("rpmsg.reserved", "Reserved", base.HEX, nil, nil,
    "Each stack uses it for its own; receivers ignore it"),
  len = ProtoField.uint16("rpmsg.len", "Payload length", base.DEC),
  flags = ProtoField.uint16("rpmsg.flags", "Flags", base.HEX),
  data = ProtoField.bytes("rpmsg.data", "Payload"),
  channel = ProtoField.string("rpmsg.channel", "Channel"),
  event = ProtoField.string("rpmsg.event", "Event"),
}
rpmsg.fields = f

local malformed_length = ProtoExpert.new("rpmsg.len.malformed",
  "The length exceeds what the buffer holds", expert.group.MALFORMED, expert.severity.ERROR)
local malformed_header = ProtoExpert.new("rpmsg.header.malformed",
  "Shorter than the RPMsg header", expert.group.MALFORMED, expert.severity.ERROR)
rpmsg.experts = { malformed_length, malformed_header }

local announcement_flags = { [0] = "create", [1] = "destroy" }
local n = {
  name = ProtoField.string("rpmsg_ns.name", "Name"),
  addr = ProtoField.uint32("rpmsg_ns.addr", "Address", base.HEX),
  flags = ProtoField.uint32("rpmsg_ns.flags", "Flags", base.HEX, announcement_flags),
}
name_service.fields = n

local malformed_announcement = ProtoExpert.new("rpmsg_ns.malformed",
  "An announcement has 40 bytes", expert.group.MALFORMED, expert.severity.ERROR)
name_service.experts = { malformed_announcement }

-- For dissectors of others: by the name of a channel, called with the payload alone.
local by_channel = DissectorTable.new("rpmsg.channel", "RPMsg channel", ftypes.STRING)

-- Channels ----------------------------------------------------------------------------------------

-- By vdev ("cm40/vdev0") and address of the remote: what was announced there, by frame. Wireshark
-- dissects a frame again whenever it shows it, so names are learned in the first pass and looked up
-- by frame ever after.
local channels = {}

local function learn(place, address, frame, name)
  channels[place] = channels[place] or {}
  local history = channels[place][address] or {}
  channels[place][address] = history
  history[#history + 1] = { frame = frame, name = name }
end

local function forget_remote(remote, frame)
  for place, addresses in pairs(channels) do
    if place:match("^[^/]*") == remote then
      for address in pairs(addresses) do learn(place, address, frame, nil) end
    end
  end
end

local function channel_at(place, address, frame)
  local history = channels[place] and channels[place][address] or {}
  for i = #history, 1, -1 do
    if history[i].frame <= frame then return history[i].name end
  end
  return nil
end

function rpmsg.init()
  channels = {}
end

local function text_of(field)
  local info = field()
  return info and tostring(info.value) or ""
end

-- NXP's services ----------------------------------------------------------------------------------

local types = { [0] = "request", [1] = "reply", [2] = "notification" }
local REQUEST, REPLY, NOTIFICATION = 0, 1, 2
local categories = {
  [1] = "life-cycle", [2] = "PMIC", [3] = "audio", [4] = "key", [5] = "GPIO", [6] = "RTC",
  [7] = "sensor", [9] = "I2C",
}

local h = {
  category = ProtoField.uint8("rpmsg_nxp.category", "Category", base.DEC, categories),
  major = ProtoField.uint8("rpmsg_nxp.major", "Version, major", base.DEC),
  minor = ProtoField.uint8("rpmsg_nxp.minor", "Version, minor", base.DEC),
  type = ProtoField.uint8("rpmsg_nxp.type", "Type", base.DEC, types),
  command = ProtoField.uint8("rpmsg_nxp.command", "Command", base.DEC),
  command_name = ProtoField.string("rpmsg_nxp.command_name", "Command name"),
  reserved = ProtoField.bytes("rpmsg_nxp.reserved", "Reserved"),
}
local service_fields = {}

local function add_field(make, name, title, ...)
  local field = make("rpmsg_nxp." .. name, title, ...)
  service_fields[#service_fields + 1] = field
  return field
end

local function u8(name, title, values)
  return add_field(ProtoField.uint8, name, title, base.DEC, values)
end
local function u16(name, title, format)
  return add_field(ProtoField.uint16, name, title, format or base.DEC)
end
local function u32(name, title, format)
  return add_field(ProtoField.uint32, name, title, format or base.DEC)
end

local modes = {
  [0] = "HSRUN", [1] = "RUN", [2] = "VLPR", [3] = "WAIT", [4] = "VLPS", [5] = "VLLS",
  [6] = "REBOOT", [7] = "SHUTDOWN",
}
local results = { [0] = "ok", [1] = "failed", [2] = "unsupported" }
local audio_results = { [0] = "none", [1] = "not allowed", [2] = "success", [3] = "failed" }
local key_events = { [1] = "press", [2] = "release", [3] = "both" }
local triggers = {
  [0] = "none", [1] = "rising edge", [2] = "falling edge", [3] = "both edges", [4] = "low level",
  [5] = "high level",
}

local s = {
  mode = u8("lifecycle.mode", "Power mode", modes),
  lifecycle_result = u8("lifecycle.result", "Result", results),
  regulator = u8("pmic.regulator", "Regulator or register"),
  regulator_result = u8("pmic.result", "Result", results),
  regulator_status = u8("pmic.status", "Status"),
  regulator_value = u32("pmic.value", "Value"),
  audio_index = u8("audio.index", "Index"),
  audio_format = u8("audio.format", "Format"),
  audio_channels = u8("audio.channels", "Channels"),
  audio_rate = u32("audio.rate", "Rate"),
  audio_address = u32("audio.buffer_address", "Buffer address", base.HEX),
  audio_size = u32("audio.buffer_size", "Buffer size"),
  audio_period = u32("audio.period_size", "Period size"),
  audio_tail = u32("audio.buffer_tail", "Buffer tail"),
  audio_result = u8("audio.result", "Result", audio_results),
  audio_offset = u32("audio.buffer_offset", "Buffer offset"),
  audio_register = u32("audio.register", "Register", base.HEX),
  audio_register_value = u32("audio.register_value", "Register value", base.HEX),
  key_index = u8("key.index", "Key"),
  key_event = u8("key.event", "Event", key_events),
  key_result = u8("key.result", "Result", results),
  key_wakeup = u8("key.wakeup", "Wake-up"),
  pin = u8("gpio.pin", "Pin"),
  port = u8("gpio.port", "Port"),
  trigger = u8("gpio.trigger", "Trigger", triggers),
  gpio_wakeup = u8("gpio.wakeup", "Wake-up"),
  gpio_value = u8("gpio.value", "Value"),
  gpio_result = u8("gpio.result", "Result", results),
  rtc_result = u8("rtc.result", "Result", results),
  rtc_seconds = u32("rtc.seconds", "Seconds"),
  rtc_enable = u8("rtc.enable", "Alarm enabled"),
  rtc_pending = u8("rtc.pending", "Alarm pending"),
  sensor_type = u8("sensor.type", "Sensor type"),
  sensor_index = u8("sensor.index", "Sensor"),
  sensor_value = u32("sensor.value", "Value"),
  i2c_bus = u8("i2c.bus", "Bus"),
  i2c_result = u8("i2c.result", "Result", results),
  i2c_address = u16("i2c.address", "Address", base.HEX),
  i2c_flags = u16("i2c.flags", "Flags", base.HEX),
  i2c_length = u16("i2c.length", "Length"),
  i2c_data = add_field(ProtoField.bytes, "i2c.data", "Data"),
}

-- Each: how long a packet is, and how short one may be of a type; what commands there are, and
-- notifications of the remote; and what lies where: {offset, bytes, field}.
local function gpio_layout(type, command)
  local layout = { { 10, 1, s.pin }, { 11, 1, s.port } }
  if type == REPLY then
    layout[3], layout[4] = { 12, 1, s.gpio_result }, { 13, 1, s.gpio_value }
  elseif type == REQUEST and command == 0 then
    layout[3], layout[4] = { 12, 1, s.trigger }, { 13, 1, s.gpio_wakeup }
  elseif type == REQUEST and command == 1 then
    layout[3] = { 12, 1, s.gpio_value }
  end
  return layout
end

local function audio_layout(type)
  if type == REQUEST then
    return {
      { 10, 1, s.audio_index }, { 11, 1, s.audio_format }, { 12, 1, s.audio_channels },
      { 13, 4, s.audio_rate }, { 17, 4, s.audio_address }, { 21, 4, s.audio_size },
      { 25, 4, s.audio_period }, { 29, 4, s.audio_tail },
    }
  end
  return {
    { 10, 1, s.audio_index }, { 11, 1, s.audio_result }, { 13, 4, s.audio_offset },
    { 17, 4, s.audio_register }, { 21, 4, s.audio_register_value }, { 29, 4, s.audio_tail },
  }
end

local function audio_commands()
  local names = {
    [0x14] = "set-codec", [0x15] = "get-codec", [0x16] = "tx-pointer", [0x17] = "rx-pointer",
  }
  for i = 0, 9 do
    names[i] = "tx-" .. i
    names[0x0A + i] = "rx-" .. i
  end
  return names
end

local services = {
  [1] = {
    bytes = 11,
    commands = { [0] = "mode" },
    notifications = { [1] = "heartbeat" },
    layout = function(type)
      if type == NOTIFICATION then return {} end
      return { { 10, 1, type == REPLY and s.lifecycle_result or s.mode } }
    end,
  },
  [2] = {
    bytes = 17,
    notifications = {},
    commands = {
      [0] = "enable", [1] = "disable", [2] = "is-enabled", [3] = "set-voltage",
      [4] = "get-voltage", [5] = "get-register", [6] = "set-register",
    },
    layout = function()
      return {
        { 10, 1, s.regulator }, { 11, 1, s.regulator_result }, { 12, 1, s.regulator_status },
        { 13, 4, s.regulator_value },
      }
    end,
  },
  [3] = {
    bytes = 33,
    commands = audio_commands(),
    notifications = { [0] = "tx-period", [1] = "rx-period" },
    layout = audio_layout,
  },
  [4] = {
    bytes = 13,
    commands = { [0] = "setup" },
    notifications = { [0] = "event" },
    layout = function(type)
      local second = type == REPLY and s.key_result or s.key_event
      return { { 10, 1, s.key_index }, { 11, 1, second }, { 12, 1, s.key_wakeup } }
    end,
  },
  [5] = {
    bytes = 16,
    least = { [REQUEST] = 12, [REPLY] = 14, [NOTIFICATION] = 12 }, -- without what is not needed
    commands = { [0] = "input", [1] = "set", [2] = "get" },
    notifications = { [0] = "edge" },
    layout = gpio_layout,
  },
  [6] = {
    bytes = 18,
    least = { [NOTIFICATION] = 10 },
    commands = {
      [0] = "set", [1] = "get", [2] = "set-alarm", [3] = "get-alarm", [4] = "enable-alarm",
    },
    notifications = { [0] = "alarm" },
    layout = function()
      return {
        { 11, 1, s.rtc_result }, { 12, 4, s.rtc_seconds }, { 16, 1, s.rtc_enable },
        { 17, 1, s.rtc_pending },
      }
    end,
  },
  [7] = {
    bytes = 16,
    commands = { [0] = "detector", [1] = "counter", [2] = "poll-delay" },
    notifications = { [0] = "detected", [1] = "counted" },
    layout = function()
      return { { 10, 1, s.sensor_type }, { 11, 1, s.sensor_index }, { 12, 4, s.sensor_value } }
    end,
  },
  [9] = {
    bytes = 18,
    is_longer = true, -- by the data
    commands = { [0] = "read", [1] = "write", [2] = "write-read" },
    notifications = {},
    layout = function()
      return {
        { 10, 1, s.i2c_bus }, { 11, 1, s.i2c_result }, { 12, 2, s.i2c_address },
        { 14, 2, s.i2c_flags }, { 16, 2, s.i2c_length },
      }
    end,
  },
}

-- Whose category a channel is of, by its name.
local channel_categories = {
  ["rpmsg-life-cycle-channel"] = 1,
  ["rpmsg-regulator-channel"] = 2,
  ["rpmsg-audio-channel"] = 3,
  ["rpmsg-micfil-channel"] = 3,
  ["rpmsg-keypad-channel"] = 4,
  ["rpmsg-io-channel"] = 5,
  ["rpmsg-rtc-channel"] = 6,
  ["rpmsg-sensor-channel"] = 7,
  ["rpmsg-i2c-channel"] = 9,
}

local nxp_fields = {}
for _, field in pairs(h) do nxp_fields[#nxp_fields + 1] = field end
for _, field in ipairs(service_fields) do nxp_fields[#nxp_fields + 1] = field end
nxp.fields = nxp_fields

local wrong_size = ProtoExpert.new("rpmsg_nxp.size",
  "Another length than packets of this service have", expert.group.MALFORMED, expert.severity.WARN)
local wrong_version = ProtoExpert.new("rpmsg_nxp.version",
  "Another version than 1.0", expert.group.PROTOCOL, expert.severity.WARN)
local wrong_category = ProtoExpert.new("rpmsg_nxp.wrong_category",
  "Another category than this channel is for", expert.group.PROTOCOL, expert.severity.WARN)
nxp.experts = { wrong_size, wrong_version, wrong_category }

local function has_size(service, type, bytes)
  local least = service.least and service.least[type] or service.bytes
  return bytes >= least and (bytes <= service.bytes or service.is_longer)
end

-- What people call a command, as `rpmsgctl nxp` does; nil where there is none of this number.
local function command_name(service, type, command)
  return (type == NOTIFICATION and service.notifications or service.commands)[command]
end

-- Whether bytes of an unknown channel look like a packet of one of the services.
local function looks_like_nxp(tvb, length)
  if tvb:len() < NXP_HEAD_BYTES then return false end
  local service = services[tvb(0, 1):uint()]
  local type, command = tvb(3, 1):uint(), tvb(4, 1):uint()
  local is_version_1 = tvb(1, 1):uint() == 1 and tvb(2, 1):uint() == 0
  return service ~= nil and is_version_1 and types[type] ~= nil and has_size(service, type, length)
    and command_name(service, type, command) ~= nil
end

-- "GPIO request: get, pin 3, port 1"
local function summary_of(category, type, name, details)
  local kind = (categories[category] or ("category " .. category)) .. " " .. (types[type] or type)
  local all = details ~= "" and (name .. ", " .. details) or name
  return kind .. ": " .. all
end

local shown_in_summary = {
  [s.mode] = "mode", [s.pin] = "pin", [s.port] = "port", [s.trigger] = "trigger",
  [s.gpio_value] = "value", [s.gpio_result] = "result", [s.lifecycle_result] = "result",
  [s.rtc_seconds] = "seconds", [s.rtc_result] = "result", [s.regulator] = "regulator",
}
local value_names = {
  [s.mode] = modes, [s.trigger] = triggers, [s.gpio_result] = results,
  [s.lifecycle_result] = results, [s.rtc_result] = results,
}

local function add_service(service, type, command, tvb, branch)
  local details = {}
  for _, place in ipairs(service.layout(type, command)) do
    local offset, bytes, field = place[1], place[2], place[3]
    if offset + bytes <= tvb:len() then
      branch:add_le(field, tvb(offset, bytes))
      local value = tvb(offset, bytes):le_uint()
      local word = shown_in_summary[field]
      local names = value_names[field] or {}
      if word then details[#details + 1] = word .. " " .. (names[value] or value) end
    end
  end
  if service.is_longer and tvb:len() > service.bytes then
    branch:add(s.i2c_data, tvb(service.bytes))
  end
  return table.concat(details, ", ")
end

local function dissect_nxp(tvb, pinfo, tree, expected, length)
  local category, type, command = tvb(0, 1):uint(), tvb(3, 1):uint(), tvb(4, 1):uint()
  local service = services[category]
  local branch = tree:add(nxp, tvb())
  local category_item = branch:add(h.category, tvb(0, 1))
  local version_item = branch:add(h.major, tvb(1, 1))
  branch:add(h.minor, tvb(2, 1))
  branch:add(h.type, tvb(3, 1))
  branch:add(h.command, tvb(4, 1))
  local name = service and command_name(service, type, command) or ("command " .. command)
  branch:add(h.command_name, tvb(4, 1), name):set_generated()
  branch:add(h.reserved, tvb(5, 5))
  if tvb(1, 1):uint() ~= 1 or tvb(2, 1):uint() ~= 0 then
    version_item:add_proto_expert_info(wrong_version)
  end
  if expected and expected ~= category then
    category_item:add_proto_expert_info(wrong_category)
  end
  local details = ""
  if service then
    if not has_size(service, type, length) then branch:add_proto_expert_info(wrong_size) end
    details = add_service(service, type, command, tvb, branch)
  end
  local summary = summary_of(category, type, name, details)
  branch:append_text(", " .. summary)
  pinfo.cols.protocol = "NXP " .. (categories[category] or "RPMsg")
  return summary
end

-- Name service ------------------------------------------------------------------------------------

-- The name field: 32 bytes of anything, with or without an end. Nothing that a terminal would obey.
local function name_in(range)
  local length = #range:raw():match("^[^\0]*")
  return length == 0 and "" or (range(0, length):string(ENC_UTF_8):gsub("%c", "."))
end

local function dissect_announcement(tvb, pinfo, tree, place, ends)
  local branch = tree:add(name_service, tvb())
  pinfo.cols.protocol = "RPMsg NS"
  if ends.length ~= ANNOUNCEMENT_BYTES then
    branch:add_proto_expert_info(malformed_announcement)
    return "malformed announcement of " .. ends.length .. " bytes"
  end
  if tvb:len() < ANNOUNCEMENT_BYTES then return "announcement, cut short" end
  local name = name_in(tvb(0, NAME_BYTES))
  local address = tvb(32, 4):le_uint()
  local is_destroyed = tvb(36, 4):le_uint() % 2 == 1
  branch:add(n.name, tvb(0, NAME_BYTES), name)
  branch:add_le(n.addr, tvb(32, 4))
  branch:add_le(n.flags, tvb(36, 4))
  if ends.is_inbound and not pinfo.visited then
    learn(place, address, pinfo.number, not is_destroyed and name or nil)
  end
  local action = is_destroyed and "destroy" or "create"
  local summary = string.format('%s "%s" at 0x%x', action, name, address)
  branch:append_text(", " .. summary)
  return summary
end

-- RPMsg -------------------------------------------------------------------------------------------

-- A comment by itself: an event of the remote or vdev; the first one names channels.
local function dissect_event(tvb, pinfo, tree, place)
  local comment = text_of(comment_of)
  if not pinfo.visited then
    for name, address in comment:gmatch('\nchannel "([^\n]*)" at 0x(%x+)') do
      learn(place, tonumber(address, 16), pinfo.number, (name:gsub("\\(.)", "%1")))
    end
    if comment:match("^reset: ") or comment:match("; reset: ") then
      forget_remote(place, pinfo.number)
    end
  end
  local branch = tree:add(rpmsg, tvb(), "RPMsg event")
  branch:add(f.event, comment):set_generated()
  pinfo.cols.protocol = "RPMsg event"
  pinfo.cols.src = place
  pinfo.cols.info = "[" .. comment:gsub("\n", "; ") .. "]"
end

local function describe_ends(tvb, pinfo, place, direction)
  local src, dst = tvb(0, 4):le_uint(), tvb(4, 4):le_uint()
  local remote, host = place .. ":%d", "host:%d"
  if direction == OUTBOUND then remote, host = host, remote end
  pinfo.cols.src = string.format(remote, src)
  pinfo.cols.dst = string.format(host, dst)
  return src, dst
end

local function dissect_payload(payload, pinfo, tree, place, ends)
  if ends.dst == NAME_SERVICE_ADDRESS then
    return dissect_announcement(payload, pinfo, tree, place, ends)
  end
  if ends.channel and by_channel:get_dissector(ends.channel) then
    by_channel:try(ends.channel, payload, pinfo, tree)
    return nil
  end
  local expected = channel_categories[ends.channel or ""]
  if payload:len() >= NXP_HEAD_BYTES and (expected or looks_like_nxp(payload, ends.length)) then
    return dissect_nxp(payload, pinfo, tree, expected, ends.length)
  end
  return nil
end

function rpmsg.dissector(tvb, pinfo, tree)
  local place = text_of(interface_name_of)
  pinfo.cols.protocol = "RPMsg"
  if tvb:reported_len() == 0 then return dissect_event(tvb, pinfo, tree, place) end
  local branch = tree:add(rpmsg, tvb(0, math.min(HEADER_BYTES, tvb:len())))
  if tvb:len() < HEADER_BYTES then
    branch:add_proto_expert_info(malformed_header)
    pinfo.cols.info = "shorter than the RPMsg header"
    return
  end
  local direction = tonumber(text_of(direction_of)) or 0
  local src, dst = describe_ends(tvb, pinfo, place, direction)
  local length = tvb(12, 2):le_uint()
  branch:add_le(f.src, tvb(0, 4))
  branch:add_le(f.dst, tvb(4, 4))
  branch:add_le(f.reserved, tvb(8, 4))
  local length_item = branch:add_le(f.len, tvb(12, 2))
  branch:add_le(f.flags, tvb(14, 2))
  local is_inbound = direction ~= OUTBOUND
  local channel = channel_at(place, is_inbound and src or dst, pinfo.number)
  local label = ""
  if channel and dst ~= NAME_SERVICE_ADDRESS then
    branch:add(f.channel, channel):set_generated()
    label = channel .. " "
  end
  branch:append_text(string.format(", %d → %d, %d bytes", src, dst, length))
  local summary
  if length > tvb:reported_len() - HEADER_BYTES then
    length_item:add_proto_expert_info(malformed_length)
    summary = "malformed length"
  elseif length > 0 and tvb:len() > HEADER_BYTES then
    local kept = math.min(length, tvb:len() - HEADER_BYTES)
    local payload = tvb(HEADER_BYTES, kept):tvb()
    branch:add(f.data, tvb(HEADER_BYTES, kept))
    local ends = { dst = dst, is_inbound = is_inbound, channel = channel, length = length }
    summary = dissect_payload(payload, pinfo, tree, place, ends)
  end
  pinfo.cols.info = string.format("%s%d → %d, %d bytes%s", label, src, dst, length,
    summary and (": " .. summary) or "")
end

-- A module of a newer Wireshark has the link types under another name.
DissectorTable.get("wtap_encap"):add((wtap_encaps or wtap).USER0, rpmsg)
