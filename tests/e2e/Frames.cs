// SPDX-License-Identifier: MIT
// Frames.cs - what a C# program does beyond lines of text: messages behind their length, and files.
//   Frames.exe ask HOST PORT TEXT...   sends each text behind two bytes of length, prints each reply that comes so
//   Frames.exe push HOST PORT FILE     sends a file and its end
//   Frames.exe pull HOST PORT FILE     saves until the end
//   Frames.exe say HOST PORT CODING TEXT   sends the text in that coding, cut at every byte, and prints what comes back in it
//   Frames.exe modbus HOST PORT BYTE...    sends the bytes (in hex) with their CRC-16 behind, says whether the reply's CRC is right
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

class Frames
{
    static byte[] Exactly(Stream from, int n)
    {
        var bytes = new byte[n];
        for (int at = 0, got; at < n; at += got)
            if ((got = from.Read(bytes, at, n - at)) == 0)
                throw new EndOfStreamException();
        return bytes;
    }

    static void Ask(Stream stream, string[] args)
    {
        for (int i = 3; i < args.Length; i++) {
            byte[] text = Encoding.UTF8.GetBytes(args[i]);
            var message = new byte[text.Length + 2];
            message[0] = (byte)(text.Length >> 8);
            message[1] = (byte)text.Length;
            text.CopyTo(message, 2);
            foreach (byte one in message) // cut at every byte
                stream.WriteByte(one);
            byte[] head = Exactly(stream, 2);
            Console.WriteLine(Encoding.UTF8.GetString(Exactly(stream, head[0] << 8 | head[1])));
        }
    }

    static void Say(Stream stream, string coding, string text)
    {
        byte[] bytes = Encoding.GetEncoding(coding).GetBytes(text + "\n");
        foreach (byte one in bytes)
            stream.WriteByte(one);
        Console.Write(Encoding.GetEncoding(coding).GetString(Exactly(stream, bytes.Length)));
    }

    static ushort Crc(byte[] bytes, int n)
    {
        ushort crc = 0xffff;
        for (int i = 0; i < n; i++) {
            crc ^= bytes[i];
            for (int bit = 0; bit < 8; bit++)
                crc = (ushort)((crc & 1) != 0 ? crc >> 1 ^ 0xa001 : crc >> 1);
        }
        return crc;
    }

    static void Modbus(Stream stream, string[] args)
    {
        int n = args.Length - 3;
        var message = new byte[n + 2];
        for (int i = 0; i < n; i++)
            message[i] = Convert.ToByte(args[i + 3], 16);
        ushort crc = Crc(message, n);
        message[n] = (byte)crc;
        message[n + 1] = (byte)(crc >> 8);
        stream.Write(message, 0, n + 2);
        byte[] reply = Exactly(stream, n + 2);
        crc = Crc(reply, n);
        Console.WriteLine(BitConverter.ToString(reply, 0, n) + (reply[n] + (reply[n + 1] << 8) == crc ? " right" : " wrong"));
    }

    static void Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        using (var client = new TcpClient(args[1], int.Parse(args[2])))
        using (var stream = client.GetStream()) {
            client.NoDelay = true;
            if (args[0] == "ask") {
                Ask(stream, args);
            } else if (args[0] == "say") {
                Say(stream, args[3], args[4]);
            } else if (args[0] == "modbus") {
                Modbus(stream, args);
            } else if (args[0] == "push") {
                using (var file = File.OpenRead(args[3]))
                    file.CopyTo(stream);
                client.Client.Shutdown(SocketShutdown.Send);
                stream.ReadByte(); // until the other side has all of it
            } else {
                using (var file = File.Create(args[3]))
                    stream.CopyTo(file);
            }
        }
    }
}
